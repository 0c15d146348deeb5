"""The wire: every type that crosses a process boundary, and the JSON Schemas made from them."""
