//! Reinforcement learning of X-Omni's autoregressive model in the miniature world (arXiv 2507.22058, section
//! 3.2): the policy draws pictures, a frozen decoder decodes them, rewards say what they are worth, and the
//! likelihood of those above their group's mean rises.

pub mod objective;
