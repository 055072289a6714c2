//! The marks after the name of a row, which the notes below the table explain.

/// A sign, and what it says about its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// One character.
    pub sign: &'static str,
    /// What it means, in a few words.
    pub meaning: &'static str,
    /// The sign in LaTeX.
    pub latex: &'static str,
}

/// A run with missing, failed or unscored outputs.
pub const PARTIAL: Mark = Mark {
    sign: "†",
    meaning: "partial run",
    latex: "$^\\dagger$",
};

/// A row of a paper.
pub const PUBLISHED: Mark = Mark {
    sign: "‡",
    meaning: "printed by a paper, not measured here",
    latex: "$^\\ddagger$",
};

/// A row with another judge or other prompts than the first judged row of the table.
pub const JUDGED_APART: Mark = Mark {
    sign: "§",
    meaning: "other judge or other prompts",
    latex: "$^{\\S}$",
};

/// A row whose overall number does not follow from its columns.
pub const INCONSISTENT: Mark = Mark {
    sign: "≠",
    meaning: "the overall number does not follow from its columns",
    latex: "$^{\\neq}$",
};

/// A row with a number that no whole number of right answers gives.
pub const IMPOSSIBLE: Mark = Mark {
    sign: "∤",
    meaning: "no whole number of right answers gives one of the numbers",
    // `\nmid` is not in plain LaTeX.
    latex: "$^{\\not\\mid}$",
};

/// All marks, in the order in which they follow a name.
pub const MARKS: [Mark; 5] = [PARTIAL, PUBLISHED, JUDGED_APART, INCONSISTENT, IMPOSSIBLE];

impl std::fmt::Display for Mark {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.sign)
    }
}
