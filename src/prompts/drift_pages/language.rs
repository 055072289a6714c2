//! The languages of pages: the words of lines, and the wording of edits.

use crate::page::Kind;

/// A language of pages.
pub(super) struct Language {
    /// Its code, as in tags.
    pub code: &'static str,
    /// The words of the lines.
    pub words: &'static [&'static str],
    /// What is between two words.
    pub between: &'static str,
    /// The wording of edits.
    pub edits: Wording,
}

/// The prompts of edits. Each takes names in this language.
pub(super) struct Wording {
    /// The thing and its new colour.
    pub recolor: fn(&str, &str) -> String,
    /// The thing and the new thing.
    pub replace: fn(&str, &str) -> String,
    /// The thing.
    pub remove: fn(&str) -> String,
    /// The colour and the thing.
    pub add: fn(&str, &str) -> String,
    /// The text before and after.
    pub retype: fn(&str, &str) -> String,
    /// What follows each prompt.
    pub nothing_else: &'static str,
    /// The word of a line for which no other is short enough.
    pub new: &'static str,
    /// The name of a kind of things.
    pub kind: fn(Kind) -> &'static str,
    /// The name of a colour, by its English name.
    pub color: fn(&'static str) -> &'static str,
}

/// English.
pub(super) static ENGLISH: Language = Language {
    code: "en",
    words: &[
        "harbour", "lantern", "garden", "window", "silver", "market", "winter", "bridge", "candle",
        "forest", "kitchen", "morning", "orchard", "pencil", "railway", "sugar", "ticket",
        "valley", "weather", "yellow", "anchor", "basket", "copper", "dinner", "engine", "feather",
        "guitar", "hammer", "island", "jacket", "ladder", "mirror", "needle", "oyster", "pepper",
        "quarter", "ribbon", "saddle", "teapot", "velvet",
    ],
    between: " ",
    edits: Wording {
        recolor: |thing, color| format!("Change the colour of the {thing} to {color}."),
        replace: |thing, other| format!("Replace the {thing} with a {other}."),
        remove: |thing| format!("Remove the {thing}."),
        add: |color, thing| format!("Add a {color} {thing} in the free place."),
        retype: |before, after| format!("Change the text \"{before}\" to \"{after}\"."),
        nothing_else: " Change nothing else.",
        new: "new",
        kind: Kind::name,
        color: |color| color,
    },
};

/// Simplified Chinese.
pub(super) static CHINESE: Language = Language {
    code: "zh",
    words: &[
        "花园", "窗户", "市场", "冬天", "大桥", "森林", "厨房", "早晨", "铅笔", "铁路", "白糖",
        "车票", "山谷", "天气", "黄色", "竹篮", "晚饭", "发动", "羽毛", "吉他", "海岛", "外衣",
        "梯子", "镜子", "牡蛎", "胡椒", "丝带", "茶壶", "天鹅", "书店", "电影", "音乐", "学校",
        "医院", "公园", "牛奶", "面包", "苹果", "火车", "飞机",
    ],
    between: "",
    edits: Wording {
        recolor: |thing, color| format!("把{thing}的颜色改为{color}。"),
        replace: |thing, other| format!("把{thing}换成{other}。"),
        remove: |thing| format!("去掉{thing}。"),
        add: |color, thing| format!("在空白处加一个{color}的{thing}。"),
        retype: |before, after| format!("把文字“{before}”改为“{after}”。"),
        nothing_else: "其他内容都不要改变。",
        new: "新",
        kind: |kind| match kind {
            Kind::Disc => "圆形",
            Kind::Square => "正方形",
            Kind::Triangle => "三角形",
            Kind::Star => "星星",
            Kind::Cup => "杯子",
            Kind::Tree => "树",
        },
        color: |color| match color {
            "red" => "红色",
            "green" => "绿色",
            "blue" => "蓝色",
            "orange" => "橙色",
            "purple" => "紫色",
            _ => "黑色",
        },
    },
};
