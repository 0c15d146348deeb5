"""What the engine knows about a node, as bits.

The effective flags of a node are its own flags (`elements.own_flags`, selectors) together with those its parent's
effective flags hand down: `own | parent & INHERITED`.
"""

from typing import Final

BLOCKED: Final = 1
"""Nothing of the element but a box of its size, and nothing below it."""
MASKED: Final = 2
"""Matched by a mask selector: as at the conservative level, whatever the level."""
UNMASKED: Final = 4
"""Matched by an unmask selector: as at the light level, unless a stronger flag says otherwise."""
FLOOR: Final = 8
"""A password, a card field, or the like: masked at every level."""
SENSITIVE: Final = 16
"""A field that the light level masks too."""
FIELD: Final = 32
"""A form field; its `value` and the texts that describe it are masked at the medium level."""
FIELD_TEXT: Final = 64
"""Text below is a field's value: textarea, option, output."""
EDITABLE: Final = 128
"""Text below can be typed by the visitor: contenteditable and the text box roles."""
DROPPED_TEXT: Final = 256
"""Text below is never rendered: script, noscript, template."""
STYLE_TEXT: Final = 512
"""Text below is CSS."""
UNKNOWN: Final = 1024
"""The node was never seen, or hangs below one that was not."""
BUTTON_FIELD: Final = 2048
"""An input of type submit, button or reset: its `value` is its label."""
INTERACTIVE: Final = 4096
"""A button, link, label or the like: its text names what is clicked."""
CUSTOM: Final = 8192
"""A custom element: its attributes mean what its author liked."""
CHOICE: Final = 16384
"""A radio button or checkbox: `value` stays an attribute, the state is `checked`."""
TITLE: Final = 32768
"""The `title` element: its text is the page's title (or an SVG's tooltip)."""

INHERITED: Final = (
    BLOCKED
    | MASKED
    | UNMASKED
    | FLOOR
    | SENSITIVE
    | FIELD_TEXT
    | EDITABLE
    | DROPPED_TEXT
    | STYLE_TEXT
    | UNKNOWN
    | INTERACTIVE
)
"""Flags that children take over."""

CROSSES_ROOT: Final = INHERITED & ~UNMASKED
"""Flags that go from a host into its shadow root and from an iframe into its document."""

STICKY: Final = BLOCKED | MASKED | FLOOR | SENSITIVE | UNKNOWN | FIELD | FIELD_TEXT | EDITABLE
"""Flags a node never loses during a page load."""
