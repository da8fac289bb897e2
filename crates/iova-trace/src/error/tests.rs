use super::*;

#[test]
fn nothing_from_outside_reaches_the_terminal_unescaped() {
    let name: Arc<str> = Arc::from("a\x1b[2Jb");
    let value = Fault::value("size", "1\x1b]0;x\x07\r\u{202e}\u{9b}", "a number");
    assert_eq!(
        value.to_string(),
        "field `size` is `1\\u{1b}]0;x\\u{7}\\r\\u{202e}\\u{9b}`, expected a number"
    );
    let malformed = Malformed { name: Arc::clone(&name), line: 1, event: None, fault: value };
    let source = || io::Error::other("reason");
    let errors = [
        Error::Open { name: Arc::clone(&name), source: source() },
        Error::PerfData { name: Arc::clone(&name) },
        Error::TraceDat { name: Arc::clone(&name) },
        Error::Compressed { name: Arc::clone(&name), tool: "xz" },
        Error::NotText { name: Arc::clone(&name) },
        Error::Read { name, line: 1, source: source() },
        malformed.into(),
    ];
    for error in errors {
        let message = error.to_string();
        assert!(message.starts_with("a\\u{1b}[2Jb:"), "{message}");
        assert!(!message.chars().any(char::is_control), "{message:?}");
    }
}

#[test]
fn ordinary_text_is_quoted_as_it_is() {
    let text = "C:\\x y'\"\u{e4}\u{4e2d}{0x1,0x2}";
    let fault = Fault::value("size", text, "a number");
    assert_eq!(fault.to_string(), format!("field `size` is `{text}`, expected a number"));
}
