import CrashModel
package import HTTPConnections
import HTTPTypes
import NIOCore
import NIOHTTP1
import Synchronization
import TaskStorage

/// The texts of `/<id>` that were sent last, for the polls that ask for the same: those are answered on the event loop.
///
/// An answer is sent again only to who has the password, and only while nothing of the task has changed; that of a task in
/// work, which tells how long it will take, for a second.
package final class ReadyAnswers: Sendable {
    private struct Key: Hashable {
        let task: TaskID
        let language: String
    }

    private struct Answer {
        let version: UInt64
        let content: QuickAnswer
        /// Until when it holds, in microseconds since the epoch; nil for as long as the version does.
        let end: Int64?
    }

    private let answers = Mutex<[Key: Answer]>([:])
    private static let maximumCount = 4096
    /// For longer answers memory is the better spent elsewhere.
    private static let maximumBytes = 4096
    private static let workMicroseconds: Int64 = 1_000_000

    package init() {}

    /// - Parameter isHTTPSOnly: Whether browsers are told to come by HTTPS alone.
    func keep(_ text: String, of snapshot: TaskSnapshot, in language: Language, isHTTPSOnly: Bool, now: Int64) {
        guard snapshot.version != 0, text.utf8.count <= Self.maximumBytes else { return }
        let state = snapshot.task.state
        var headers: HTTPHeaders = [
            "Content-Type": "text/plain", "X-Task-Status": state.rawValue, "Vary": "Accept",
            "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Server": "retrace",
        ]
        if isHTTPSOnly { headers.add(name: "Strict-Transport-Security", value: "max-age=31536000") }
        let answer = Answer(
            version: snapshot.version, content: QuickAnswer(headers: headers, body: ByteBuffer(string: text)),
            end: state == .pending ? now + Self.workMicroseconds : nil)
        answers.withLock { answers in
            if answers.count >= Self.maximumCount { answers.removeAll(keepingCapacity: true) }
            answers[Key(task: snapshot.task.id, language: language.code)] = answer
        }
    }

    /// The answer to a poll; nil for any other request, and for a poll that has to be answered anew or refused.
    func answer(
        to head: HTTPRequestHead, isSecure: Bool, _ dependencies: GatewayDependencies, _ languages: Languages
    ) -> QuickAnswer? {
        guard let id = Self.task(in: head.uri), let asked = PollHeaders(head.headers), let password = asked.password,
            !dependencies.access.requireHTTPS || isSecure, StatusForm(accept: asked.accept) == .text,
            let known = dependencies.store.remembered(id), known.password.matches(password)
        else { return nil }
        let key = Key(task: id, language: asked.language(among: languages))
        guard let answer = answers.withLock({ $0[key] }), answer.version == known.version else { return nil }
        if let end = answer.end, end < dependencies.now() { return nil }
        return answer.content
    }

    /// The task of `/<id>` and `/<id>/`; nil for every other address.
    private static func task(in uri: String) -> TaskID? {
        guard uri.utf8.first == UInt8(ascii: "/") else { return nil }
        let name = uri.utf8.last == UInt8(ascii: "/") ? uri.dropFirst().dropLast() : uri.dropFirst()
        return isDigits(name) ? try? TaskID(name) : nil
    }
}

/// What the answer to a poll depends on, found in one look at the headers.
private struct PollHeaders {
    private(set) var password: String?
    private(set) var accept: String?
    private var languages: String?
    private var charsets: String?

    /// nil where the headers say more than this can tell, such as a proxy's.
    init?(_ headers: HTTPHeaders) {
        for (name, value) in headers {
            switch name.utf8.count {
            case 15 where Self.isSame(name, "x-task-password"):
                guard password == nil else { return nil }
                password = value
            case 15 where Self.isSame(name, "accept-language"): Self.add(value, to: &languages)
            case 14 where Self.isSame(name, "accept-charset"): Self.add(value, to: &charsets)
            case 6 where Self.isSame(name, "accept"): Self.add(value, to: &accept)
            case 17 where Self.isSame(name, "x-forwarded-proto"): return nil
            default: continue
            }
        }
    }

    func language(among all: Languages) -> String {
        guard languages != nil, charsets != nil else { return Language.english.code }
        var asked = HTTPFields()
        asked[.acceptLanguage] = languages
        asked[.acceptCharset] = charsets
        return all.language(for: asked).code
    }

    private static func add(_ value: String, to all: inout String?) { all = all.map { "\($0), \(value)" } ?? value }

    /// Whether a header's name is this one, in whatever case.
    private static func isSame(_ name: String, _ known: StaticString) -> Bool {
        known.withUTF8Buffer { known in
            name.utf8.elementsEqual(known) { byte, lower in
                byte == lower || byte | 0x20 == lower && (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            }
        }
    }
}

/// What the server's connections ask before they hand a request on.
///
/// - Parameter dependencies: Those of the router.
/// - Throws: The error of a broken catalogue of translations, which tests rule out.
package func quickResponder(_ dependencies: GatewayDependencies) throws -> QuickResponder {
    let languages = try Languages()
    return { head, isSecure in
        dependencies.ready.answer(to: head, isSecure: isSecure, dependencies, languages)
    }
}
