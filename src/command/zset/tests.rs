//! Replies and error texts as Redis gives them.
