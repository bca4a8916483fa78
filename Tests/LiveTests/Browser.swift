import AsyncHTTPClient
import FoundationEssentials
import Glibc
import NIOCore
import NIOHTTP1
import SystemPackage
import TestFixtures

import class Foundation.JSONSerialization

/// A headless Chromium, driven over WebDriver (W3C) by chromedriver.
struct Browser: Sendable {
    private let session: String
    /// Where screenshots go.
    let pictures: FilePath
    private let stack: Stack

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static let missing = ["/usr/bin/chromium", "/usr/bin/chromedriver"].filter { (path: String) in
        access(path, X_OK) != 0
    }

    /// Starts a browser with a profile below the stack's directory, calls `body`, and ends it, whatever happened.
    static func with(_ stack: Stack, _ body: @Sendable (Browser) async throws -> Void) async throws {
        let profile = stack.directory.appending("browser")
        try DebianArchive.makeDirectories(profile)
        let pictures = Stack.checkout.appending(".build/screenshots")
        try DebianArchive.makeDirectories(pictures)
        let driver = ServiceProcess("chromedriver")
        let port = try freePort()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await driver.live(
                    "/usr/bin/chromedriver", arguments: ["--port=\(port)"],
                    environment: [
                        "PATH": "/usr/bin:/bin", "HOME": profile.string, "LC_ALL": "C.UTF-8",
                        "XDG_RUNTIME_DIR": profile.string, "TMPDIR": profile.string,
                    ])
            }
            let outcome: Result<Void, any Error>
            do {
                let browser = try await begin(stack, port, profile, pictures)
                do {
                    try await body(browser)
                    outcome = .success(())
                } catch {
                    outcome = .failure(error)
                }
                _ = try? await browser.command(.DELETE, "")
            } catch {
                outcome = .failure(error)
            }
            _ = await driver.end(with: SIGTERM)
            group.cancelAll()
            try outcome.get()
        }
    }

    private static func begin(
        _ stack: Stack, _ port: Int, _ profile: FilePath, _ pictures: FilePath
    ) async throws -> Browser {
        let root = "http://127.0.0.1:\(port)"
        try await stack.until("chromedriver listens", within: .seconds(30)) {
            (try? await call(.GET, root + "/status")) != nil
        }
        let options: [String: Any] = [
            "binary": "/usr/bin/chromium",
            "args": [
                // These tests run as root, where Chromium's own sandbox cannot; it visits the loopback only.
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                "--user-data-dir=\(profile.string)/profile", "--window-size=1280,900", "--no-first-run",
                "--disable-background-networking", "--disable-component-update",
            ],
        ]
        let capabilities: [String: Any] = [
            "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": ["browser": "ALL"],
        ]
        let answer = try await call(.POST, root + "/session", ["capabilities": ["alwaysMatch": capabilities]])
        guard let session = (answer as? [String: Any])?["sessionId"] as? String else {
            throw Failure(description: "no session: \(answer)")
        }
        return Browser(session: "\(root)/session/\(session)", pictures: pictures, stack: stack)
    }

    /// A port of the loopback that nobody uses at the moment.
    private static func freePort() throws -> Int {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let answer = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, size) == 0 ? getsockname(socket, $0, &size) : -1
            }
        }
        guard answer == 0 else { throw Errno(rawValue: errno) }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    // MARK: what a person does

    func visit(_ url: String) async throws { _ = try await command(.POST, "/url", ["url": url]) }

    func type(_ text: String, into selector: String) async throws {
        _ = try await command(.POST, "/element/\(try await element(selector))/value", ["text": text])
    }

    func click(_ selector: String) async throws {
        _ = try await command(.POST, "/element/\(try await element(selector))/click", [String: String]())
    }

    /// Clicks on what leads to another page, or to the same one anew, and waits until that is there.
    func follow(_ selector: String) async throws {
        try await arrive(by: "a click on \(selector)") { try await click(selector) }
    }

    /// Does what leads to another page and waits until that is there.
    func arrive(by what: String, _ act: () async throws -> Void) async throws {
        _ = try await value("window.isTheOldPage = true")
        try await act()
        try await stack.until("another page is there after \(what)", within: .seconds(60)) {
            // Between two pages there is none that a script could run in.
            (try? await value("!window.isTheOldPage && document.readyState == 'complete'")) == "true"
        }
    }

    /// What a script in the page returns, as text.
    func value(_ expression: String) async throws -> String {
        let answer = try await command(
            .POST, "/execute/sync", ["script": "return String(\(expression))", "args": [String]()] as [String: Any])
        return answer as? String ?? ""
    }

    func text(of selector: String) async throws -> String {
        try await value("(document.querySelector('\(selector)') || {innerText: ''}).innerText")
    }

    /// What the browser complained of since the last call: errors of scripts, breaches of the content security policy.
    func complaints() async throws -> [String] {
        let entries = try await command(.POST, "/se/log", ["type": "browser"]) as? [[String: Any]] ?? []
        return entries.filter { $0["level"] as? String == "SEVERE" }.compactMap { $0["message"] as? String }
    }

    enum Look: String, CaseIterable {
        case light
        case dark
        case phone
    }

    /// Pictures of the whole page, light and dark and as wide as a phone's screen.
    func photograph(_ name: String, _ looks: [Look] = Look.allCases) async throws {
        for look in looks {
            let scheme = look == .dark ? "dark" : "light"
            try await devtools(
                "Emulation.setEmulatedMedia", ["features": [["name": "prefers-color-scheme", "value": scheme]]])
            let (width, height) = look == .phone ? (390, 844) : (1180, 900)
            try await devtools(
                "Emulation.setDeviceMetricsOverride",
                ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": look == .phone])
            let wide = try await value("document.documentElement.scrollWidth > window.innerWidth")
            guard wide == "false" else { throw Failure(description: "\(name) is wider than the screen (\(look))") }
            let answer = try await devtools("Page.captureScreenshot", ["captureBeyondViewport": true])
            guard let picture = (answer as? [String: Any])?["data"] as? String,
                let bytes = Data(base64Encoded: picture)
            else { throw Failure(description: "no picture of \(name)") }
            try FolderContents.write(bytes, to: pictures.appending("\(name)-\(look.rawValue).png"))
        }
        try await devtools("Emulation.clearDeviceMetricsOverride", [String: String]())
    }

    // MARK: WebDriver

    @discardableResult
    func devtools(_ name: String, _ parameters: [String: Any]) async throws -> Any {
        try await command(.POST, "/goog/cdp/execute", ["cmd": name, "params": parameters])
    }

    private func element(_ selector: String) async throws -> String {
        let answer = try await command(.POST, "/element", ["using": "css selector", "value": selector])
        guard let id = (answer as? [String: String])?.values.first else {
            throw Failure(description: "there is no \(selector)")
        }
        return id
    }

    func command(_ method: HTTPMethod, _ path: String, _ body: [String: Any]? = nil) async throws -> Any {
        try await Self.call(method, session + path, body)
    }

    private static func call(_ method: HTTPMethod, _ url: String, _ body: [String: Any]? = nil) async throws -> Any {
        var request = HTTPClientRequest(url: url)
        request.method = method
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: try JSONSerialization.data(withJSONObject: body)))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        let content = try await response.body.collect(upTo: 64 << 20)
        let answer = try JSONSerialization.jsonObject(with: Data(content.readableBytesView))
        let value = (answer as? [String: Any])?["value"] ?? ""
        guard response.status == .ok else { throw Failure(description: "\(method) \(url): \(value)") }
        return value
    }
}
