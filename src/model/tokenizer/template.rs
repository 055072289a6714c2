//! Chat templates (Jinja) as checkpoints publish them in `tokenizer_config.json` or `chat_template.jinja`.

use super::chat::Role;
use crate::model::{ModelError, Result, read_config};
use minijinja::{Environment, context};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A template, ready to be filled.
#[derive(Debug, Clone)]
pub struct ChatTemplate {
    source: String,
    path: PathBuf,
}

/// A message of one side.
#[derive(Debug, Clone, Serialize)]
pub struct Said {
    /// The side that says it.
    pub role: Role,
    /// The text of the message.
    pub content: String,
}

#[derive(Deserialize)]
struct TokenizerConfig {
    #[serde(default)]
    chat_template: Option<String>,
}

impl ChatTemplate {
    /// The template of a checkpoint's folder.
    ///
    /// # Errors
    /// Fails if neither file has one. The message names them.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join("chat_template.jinja");
        if path.is_file() {
            let source = std::fs::read_to_string(&path).map_err(|e| ModelError::io(&path, &e))?;
            return Ok(Self { source, path });
        }
        let path = folder.join("tokenizer_config.json");
        let config: TokenizerConfig = read_config(&path)?;
        match config.chat_template {
            Some(source) => Ok(Self { source, path }),
            None => Err(ModelError::file(
                &path,
                "there is no `chat_template`",
                "conversations require it: fetch the file that was published with the model, or its \
                 chat_template.jinja",
            )),
        }
    }

    /// The text of a conversation, up to where the assistant begins.
    ///
    /// # Errors
    /// Fails if the template is wrong or refuses the conversation.
    pub fn render(&self, conversation: &[Said]) -> Result<String> {
        let mut environment = Environment::new();
        // The same settings as in transformers.
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.add_function("raise_exception", refuse);
        let wrong = |error: minijinja::Error| {
            let help = "the template must be the one that was published with the model";
            ModelError::file(&self.path, format!("`chat_template`: {error:#}"), help)
        };
        let messages = context! { messages => conversation, add_generation_prompt => true };
        environment
            .render_str(&self.source, messages)
            .map_err(wrong)
    }
}

fn refuse(message: String) -> Result<String, minijinja::Error> {
    Err(minijinja::Error::new(
        minijinja::ErrorKind::InvalidOperation,
        message,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The loop of ChatML with a default system turn. The expected text is written by hand.
    const CHATML: &str = "{%- if messages[0]['role'] != 'system' %}\n    {{- '<|im_start|>system\\nBe brief.<|im_end|>\\n' }}\n\
        {%- endif %}\n{%- for message in messages %}\n    {{- '<|im_start|>' + message.role + '\\n' + message.content + \
        '<|im_end|>' + '\\n' }}\n{%- endfor %}\n{%- if add_generation_prompt %}\n    {{- '<|im_start|>assistant\\n' }}\n\
        {%- endif %}\n";

    #[test]
    fn a_published_template_is_filled_and_its_absence_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokenizer_config.json");
        std::fs::write(&path, "{}").unwrap();
        let error = ChatTemplate::open(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("tokenizer_config.json: there is no `chat_template`"),
            "{error}"
        );

        let config = serde_json::json!({ "chat_template": CHATML });
        std::fs::write(&path, config.to_string()).unwrap();
        let said = |role, content: &str| Said {
            role,
            content: content.into(),
        };
        let template = ChatTemplate::open(folder.path()).unwrap();
        assert_eq!(
            template.render(&[said(Role::User, "hi\nthere")]).unwrap(),
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nhi\nthere<|im_end|>\n<|im_start|>assistant\n"
        );
        assert_eq!(
            template
                .render(&[said(Role::System, "x"), said(Role::User, "y")])
                .unwrap(),
            "<|im_start|>system\nx<|im_end|>\n<|im_start|>user\ny<|im_end|>\n<|im_start|>assistant\n"
        );

        std::fs::write(
            folder.path().join("chat_template.jinja"),
            "{{ raise_exception('no') }}",
        )
        .unwrap();
        let template = ChatTemplate::open(folder.path()).unwrap();
        let error = template.render(&[]).unwrap_err().to_string();
        assert!(
            error.contains("chat_template.jinja") && error.contains("no"),
            "{error}"
        );
    }
}
