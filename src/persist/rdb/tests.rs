//! Values come back as they were, and damage is refused without harm.
