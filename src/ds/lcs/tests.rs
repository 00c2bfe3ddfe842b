//! Against the table of lengths that the rows stand for.

use super::*;
use crate::base::rng::Rng;

/// The subsequence and its pieces by the table.
fn by_table(a: &[u8], b: &[u8]) -> (usize, Common) {
    let mut table = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            table[i][j] = if a[i - 1] == b[j - 1] {
                table[i - 1][j - 1] + 1
            } else {
                table[i - 1][j].max(table[i][j - 1])
            };
        }
    }
    let mut common = Common::default();
    let (mut i, mut j) = (a.len(), b.len());
    while i > 0 && j > 0 {
        if a[i - 1] == b[j - 1] {
            (i, j) = (i - 1, j - 1);
            common.take(i, j, a[i]);
        } else if table[i - 1][j] > table[i][j - 1] {
            i -= 1;
        } else {
            j -= 1;
        }
    }
    common.text.reverse();
    (table[a.len()][b.len()], common)
}

#[test]
fn the_rows_say_what_the_table_says() {
    let mut rng = Rng::seeded(9);
    for round in 0..600 {
        let letters = [2, 4, 200][round % 3];
        let mut text = |max: u64| -> Vec<u8> {
            (0..rng.below(max + 1))
                .map(|_| rng.below(letters) as u8)
                .collect()
        };
        let (a, b) = (text(200), text(150));
        let (len, want) = by_table(&a, &b);
        assert_eq!(length(&a, &b), len);
        assert_eq!(common(&a, &b), want, "{a:?} and {b:?}");
        assert_eq!(want.text.len(), len);
    }
}

#[test]
fn pieces_come_from_the_end() {
    let common = common(b"ohmytext", b"mynewtext");
    assert_eq!(common.text, b"mytext");
    let piece = |a, b, len| Piece { a, b, len };
    assert_eq!(common.pieces, [piece(4, 5, 4), piece(2, 0, 2)]);
    assert_eq!(super::common(b"", b"abc"), Common::default());
    assert_eq!(length(b"abc", b""), 0);
    assert_eq!(bytes_needed(65, 3), 48);
    assert_eq!(bytes_needed(usize::MAX, usize::MAX), usize::MAX);
}
