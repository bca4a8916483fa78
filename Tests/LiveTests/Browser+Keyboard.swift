import NIOHTTP1

extension Browser {
    /// Keys that have no letter (WebDriver, 17.4.2).
    enum Key: String {
        case tab = "\u{e004}"
        case enter = "\u{e007}"
    }

    func press(_ key: Key) async throws { try await write(key.rawValue) }

    /// Presses and releases the key of each letter; whatever has the focus gets it.
    func write(_ text: String) async throws {
        let strokes = text.flatMap { letter in
            ["keyDown", "keyUp"].map { ["type": $0, "value": String(letter)] }
        }
        _ = try await command(
            .POST, "/actions", ["actions": [["type": "key", "id": "keyboard", "actions": strokes] as [String: Any]]])
    }

    /// Goes from stop to stop with the Tab key, as far as the element; whoever looks must see where the focus is.
    func tab(to selector: String) async throws {
        for _ in 0..<200 {
            try await press(.tab)
            guard try await value("document.activeElement.matches(\"\(selector)\")") == "true" else { continue }
            let outline = try await value("getComputedStyle(document.activeElement).outlineStyle")
            guard outline != "none" else {
                throw Failure(description: "nothing shows that the focus is at \(selector)")
            }
            return
        }
        throw Failure(description: "the Tab key does not come to \(selector)")
    }

    /// Goes to a link or button with the Tab key, presses Enter, and waits for the page that it leads to.
    func enter(_ selector: String) async throws {
        try await tab(to: selector)
        try await arrive(by: "Enter at \(selector)") { try await press(.enter) }
    }
}
