//! The cheapest assignment of rows to columns, each used at most once (Kuhn 1955; Munkres 1957), in the form
//! with potentials and shortest paths.

/// The column of each row in the assignment with the smallest sum of costs. Every row gets a column if there
/// are as many columns as rows; otherwise, as many rows as there are columns. All rows of `costs` have the same
/// length, and costs are finite.
pub fn cheapest(costs: &[Vec<f64>]) -> Vec<Option<usize>> {
    let (rows, columns) = (costs.len(), costs.first().map_or(0, Vec::len));
    if rows > columns {
        let turned: Vec<Vec<f64>> = (0..columns)
            .map(|column| costs.iter().map(|row| row[column]).collect())
            .collect();
        let mut found = vec![None; rows];
        for (column, row) in cheapest(&turned).into_iter().enumerate() {
            if let Some(row) = row {
                found[row] = Some(column);
            }
        }
        return found;
    }
    let mut search = Search {
        costs,
        row_potential: vec![0.0; rows],
        column_potential: vec![0.0; columns],
        row_of: vec![None; columns],
    };
    for row in 0..rows {
        search.insert(row);
    }
    let mut found = vec![None; rows];
    for (column, row) in search.row_of.into_iter().enumerate() {
        if let Some(row) = row {
            found[row] = Some(column);
        }
    }
    found
}

struct Search<'a> {
    costs: &'a [Vec<f64>],
    row_potential: Vec<f64>,
    column_potential: Vec<f64>,
    row_of: Vec<Option<usize>>,
}

impl Search<'_> {
    /// Adds a row along the shortest path of exchanges to a free column. Of columns at the same distance, the
    /// first is used.
    fn insert(&mut self, row: usize) {
        let columns = self.row_of.len();
        let mut distance = vec![f64::INFINITY; columns];
        let mut before: Vec<Option<usize>> = vec![None; columns];
        let mut done = vec![false; columns];
        // The row whose edges are followed, and the column that led to it.
        let (mut from, mut by) = (row, None);
        let end = loop {
            let mut nearest: Option<usize> = None;
            for column in 0..columns {
                if done[column] {
                    continue;
                }
                let reduced = self.costs[from][column]
                    - self.row_potential[from]
                    - self.column_potential[column];
                if reduced < distance[column] {
                    distance[column] = reduced;
                    before[column] = by;
                }
                if nearest.is_none_or(|nearest| distance[column] < distance[nearest]) {
                    nearest = Some(column);
                }
            }
            let Some(column) = nearest else {
                return;
            };
            let by_distance = distance[column];
            self.shift(row, &done, &mut distance, by_distance);
            done[column] = true;
            match self.row_of[column] {
                Some(next) => (from, by) = (next, Some(column)),
                None => break column,
            }
        };
        let mut column = end;
        while let Some(previous) = before[column] {
            self.row_of[column] = self.row_of[previous];
            column = previous;
        }
        self.row_of[column] = Some(row);
    }

    /// Moves the potentials so that the edges of the path so far cost nothing.
    fn shift(&mut self, row: usize, done: &[bool], distance: &mut [f64], by: f64) {
        self.row_potential[row] += by;
        for (column, done) in done.iter().enumerate() {
            if *done {
                self.column_potential[column] -= by;
                if let Some(row) = self.row_of[column] {
                    self.row_potential[row] += by;
                }
            } else {
                distance[column] -= by;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(costs: &[Vec<f64>], found: &[Option<usize>]) -> f64 {
        let pairs = costs.iter().zip(found);
        pairs
            .filter_map(|(row, column)| Some(row[(*column)?]))
            .sum()
    }

    /// The smallest sum over all ways to give each row a column of its own.
    fn smallest(costs: &[Vec<f64>], used: &mut Vec<bool>) -> f64 {
        let Some((row, rest)) = costs.split_first() else {
            return 0.0;
        };
        let mut best = f64::INFINITY;
        for column in 0..row.len() {
            if !used[column] {
                used[column] = true;
                best = best.min(row[column] + smallest(rest, used));
                used[column] = false;
            }
        }
        best
    }

    // scipy.optimize.linear_sum_assignment on the same matrix: tests/golden/probes/make.py, `assignment`.
    #[test]
    fn a_matrix_by_hand() {
        let costs = vec![
            vec![4.0, 1.0, 3.0],
            vec![2.0, 0.0, 5.0],
            vec![3.0, 2.0, 2.0],
        ];
        assert_eq!(cheapest(&costs), [Some(1), Some(0), Some(2)]);
        assert_eq!(cheapest(&[]), []);
        assert_eq!(cheapest(&[vec![]]), [None]);
    }

    #[test]
    fn more_rows_than_columns_leave_the_dearest_out() {
        let costs = vec![vec![5.0], vec![1.0], vec![3.0]];
        assert_eq!(cheapest(&costs), [None, Some(0), None]);
    }

    proptest! {
        #[test]
        fn no_assignment_is_cheaper(
            rows in 1_usize..6,
            more in 0_usize..2,
            values in prop::collection::vec(0_u32..20, 42),
        ) {
            let columns = rows + more;
            let costs: Vec<Vec<f64>> = (0..rows)
                .map(|row| (0..columns).map(|c| f64::from(values[row * 7 + c])).collect())
                .collect();
            let found = cheapest(&costs);
            prop_assert!(found.iter().all(Option::is_some));
            prop_assert_eq!(sum(&costs, &found), smallest(&costs, &mut vec![false; columns]));
        }
    }
}
