"""Text as OCR returns it, made comparable."""

import re
import unicodedata

MAX_LINE = 300

_DIGIT_LOOKALIKES = str.maketrans("OoIl|", "00111")
_DECIMAL_WITH_LOOKALIKES = re.compile(
    r"(?<![^\W\d_])(?=[OoIl|.,]{0,8}\d)[\dOoIl|]{1,8}(?:[.,][\dOoIl|]{1,8}){1,3}(?![^\W\d_])"
)
_SPLIT_DECIMAL = re.compile(r"(?<=\d), (?=\d{1,2}(?!\d|[.,]\d))")
_SIGNS = str.maketrans("µμ|", "uui")
_LOOKALIKES = str.maketrans("l10", "iio")


def fold(text: str) -> str:
    """Lower case without accents, character by character: positions stay those of `text`."""
    return "".join(unicodedata.normalize("NFD", char)[0].lower()[0] for char in text)


def squeeze(text: str) -> str:
    """Letters and digits only, with what OCR confuses (l 1 I, O 0) made equal and lost spaces irrelevant."""
    return re.sub(r"[^a-z0-9%]", "", fold(text).translate(_SIGNS)).translate(_LOOKALIKES)


def mend(text: str) -> str:
    """Puts right what OCR does to numbers: "1O,9" and "10, 9" are 10,9."""
    text = text.replace("\r", " ").replace("\n", " ")[:MAX_LINE]
    text = _DECIMAL_WITH_LOOKALIKES.sub(lambda found: found[0].translate(_DIGIT_LOOKALIKES), text)
    return _SPLIT_DECIMAL.sub(",", text)
