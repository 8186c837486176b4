import { type DragEvent, useId, useState } from "react";
import { Icon, type IconName } from "./Icon.tsx";

interface Props {
  label: string;
  hint: string;
  icon: IconName;
  accept: readonly string[];
  disabled?: boolean;
  multiple?: boolean;
  /** Opens a phone's camera instead of its files. */
  camera?: boolean;
  onPick: (files: File[]) => void;
}

/** A file input that looks like a place to drop files; it stays an input, for keyboards and screen readers. */
export function FilePicker({ label, hint, icon, accept, disabled = false, multiple = false, camera, onPick }: Props) {
  const id = useId();
  const [isOver, setIsOver] = useState(false);
  const pick = (files: FileList | null) => {
    if (files && files.length > 0 && !disabled) onPick([...files].slice(0, multiple ? undefined : 1));
  };
  const drag = (over: boolean) => (event: DragEvent) => {
    event.preventDefault();
    setIsOver(over);
  };
  return (
    <div
      className={isOver ? "aa-picker aa-picker--over" : "aa-picker"}
      onDragOver={drag(true)}
      onDragLeave={drag(false)}
      onDrop={(event) => {
        drag(false)(event);
        pick(event.dataTransfer.files);
      }}
    >
      <input
        id={id}
        type="file"
        accept={accept.join(",")}
        multiple={multiple}
        disabled={disabled}
        capture={camera ? "environment" : undefined}
        onChange={(event) => {
          pick(event.target.files);
          event.target.value = ""; // the same file may be picked again
        }}
      />
      <label htmlFor={id}>
        <Icon name={icon} />
        <strong>{label}</strong>
        <span>{hint}</span>
      </label>
    </div>
  );
}
