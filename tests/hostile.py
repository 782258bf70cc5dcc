"""Text as an agent or a tenant may write it to fool a person, for hypothesis."""

from hypothesis import strategies as st

PIECES = (
    "\n", "\r", "\t", "\0", "\x7f", "\x1b[2J", "\x1b]8;;https://evil.example\x07", "\u0085", "\u2028", "\u2029",
    "\u202e", "\u2066", "\u200b", "\ufeff", "\ufe0f", "\U000e0041", "\U000e007f", "\U000e0100", "\u3164", "\ud800",
    "\u0430", "\u212a", "\u0130", "\uff41", "e\u0301", "\u05d0", "\U0001f600",
    '"', "'", "`", "\\", "\\u{20}", "\\u{202e}", "...", "<b>", "[x](y)", "|", " ", "  ", "://", ":[//]",
    "https://evil.example/a?b", "Tenant: other", "To allow exactly this, type: yes", "  - and 3 more", "a", "Prod",
)  # fmt: skip
"""Line ends, terminal and bidi controls, what shows nothing, lookalikes, quotes, our own marks and words."""

texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=12).map("".join)

names = texts | st.tuples(texts, st.integers(20, 200)).map(lambda both: both[0] * both[1])
"""Short ones, and very long ones."""
