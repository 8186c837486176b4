import { type ReactNode, useEffect, useId, useRef } from "react";
import { Icon } from "./Icon.tsx";

interface Props {
  title: string;
  close: string;
  onClose: () => void;
  children: ReactNode;
}

/** The browser's own modal: it keeps the focus inside, closes with Escape, and gives the focus back. */
export function Dialog({ title, close, onClose, children }: Props) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (element && !element.open) element.showModal();
    heading.current?.focus(); // else the button to close it would be first
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className="aa-dialog"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header className="aa-dialog__head">
        <h2 id={id} ref={heading} tabIndex={-1}>{title}</h2>
        <button type="button" className="aa-button aa-button--icon" aria-label={close} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div className="aa-dialog__body">{children}</div>
    </dialog>
  );
}
