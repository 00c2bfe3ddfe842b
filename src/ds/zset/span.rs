//! Ranges of sorted sets by score and by text, as ZCOUNT and ZRANGE BYSCORE or BYLEX
//! name them.

/// Scores between two bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreRange {
    pub min: f64,
    /// Whether `min` itself is left out.
    pub min_open: bool,
    pub max: f64,
    /// Whether `max` itself is left out.
    pub max_open: bool,
}

impl ScoreRange {
    /// Whether no score can be in the range.
    pub fn is_empty(&self) -> bool {
        self.min > self.max || self.min == self.max && (self.min_open || self.max_open)
    }

    /// Whether a score lies before the range.
    #[inline]
    pub fn is_behind(&self, score: f64) -> bool {
        score < self.min || self.min_open && score == self.min
    }

    /// Whether a score lies in the range or before it.
    #[inline]
    pub fn reaches(&self, score: f64) -> bool {
        score < self.max || !self.max_open && score == self.max
    }
}

/// One end of a range of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LexBound<'a> {
    /// Before every text.
    Least,
    /// Behind every text.
    Greatest,
    Closed(&'a [u8]),
    Open(&'a [u8]),
}

/// Texts between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LexRange<'a> {
    pub min: LexBound<'a>,
    pub max: LexBound<'a>,
}

impl LexRange<'_> {
    /// Whether no text can be in the range.
    pub fn is_empty(&self) -> bool {
        use LexBound::{Closed, Greatest, Least, Open};
        match (self.min, self.max) {
            (Greatest, _) | (_, Least) => true,
            (Least, _) | (_, Greatest) => false,
            (Closed(min), Closed(max)) => min > max,
            (Closed(min) | Open(min), Closed(max) | Open(max)) => min >= max,
        }
    }

    /// Whether a text lies before the range.
    pub fn is_behind(&self, text: &[u8]) -> bool {
        match self.min {
            LexBound::Least => false,
            LexBound::Greatest => true,
            LexBound::Closed(min) => text < min,
            LexBound::Open(min) => text <= min,
        }
    }

    /// Whether a text lies in the range or before it.
    pub fn reaches(&self, text: &[u8]) -> bool {
        match self.max {
            LexBound::Least => false,
            LexBound::Greatest => true,
            LexBound::Closed(max) => text <= max,
            LexBound::Open(max) => text < max,
        }
    }
}

/// A range of either kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Span<'a> {
    Score(ScoreRange),
    Lex(LexRange<'a>),
}

impl Span<'_> {
    /// Whether nothing can be in the range.
    pub fn is_empty(&self) -> bool {
        match self {
            Span::Score(range) => range.is_empty(),
            Span::Lex(range) => range.is_empty(),
        }
    }
}
