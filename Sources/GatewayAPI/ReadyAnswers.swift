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
        let headers: HTTPHeaders
        let body: ByteBuffer
        /// Until when it holds, in microseconds since the epoch; nil for as long as the version does.
        let end: Int64?
    }

    private let answers = Mutex<[Key: Answer]>([:])
    private static let maximumCount = 4096
    /// For longer answers memory is the better spent elsewhere.
    private static let maximumBytes = 4096
    private static let workMicroseconds: Int64 = 1_000_000

    package init() {}

    func keep(_ text: String, of snapshot: TaskSnapshot, in language: Language, now: Int64) {
        guard snapshot.version != 0, text.utf8.count <= Self.maximumBytes else { return }
        let state = snapshot.task.state
        let answer = Answer(
            version: snapshot.version,
            headers: [
                "Content-Type": "text/plain", "X-Task-Status": state.rawValue, "Vary": "Accept",
                "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Server": "retrace",
            ], body: ByteBuffer(string: text), end: state == .pending ? now + Self.workMicroseconds : nil)
        answers.withLock { answers in
            if answers.count >= Self.maximumCount { answers.removeAll(keepingCapacity: true) }
            answers[Key(task: snapshot.task.id, language: language.code)] = answer
        }
    }

    /// The answer to a poll; nil for any other request, and for a poll that has to be answered anew or refused.
    func answer(
        to head: HTTPRequestHead, isSecure: Bool, _ dependencies: GatewayDependencies, _ languages: Languages
    ) -> QuickAnswer? {
        guard let id = Self.task(in: head.uri), let password = Self.only("X-Task-Password", in: head.headers),
            !dependencies.access.requireHTTPS || isSecure, !head.headers.contains(name: "X-Forwarded-Proto"),
            StatusForm(accept: Self.combined("Accept", in: head.headers)) == .text,
            let known = dependencies.store.remembered(id), known.password.matches(password)
        else { return nil }
        var asked = HTTPFields()
        asked[.acceptLanguage] = Self.combined("Accept-Language", in: head.headers)
        asked[.acceptCharset] = Self.combined("Accept-Charset", in: head.headers)
        let key = Key(task: id, language: languages.language(for: asked).code)
        guard let answer = answers.withLock({ $0[key] }), answer.version == known.version else { return nil }
        if let end = answer.end, end < dependencies.now() { return nil }
        var headers = answer.headers
        if dependencies.access.requireHTTPS {
            headers.add(name: "Strict-Transport-Security", value: "max-age=31536000")
        }
        return QuickAnswer(headers: headers, body: answer.body)
    }

    /// The task of `/<id>` and `/<id>/`; nil for every other address.
    private static func task(in uri: String) -> TaskID? {
        guard uri.first == "/" else { return nil }
        let name = uri.last == "/" ? uri.dropFirst().dropLast() : uri.dropFirst()
        return isDigits(name) ? try? TaskID(name) : nil
    }

    private static func only(_ name: String, in headers: HTTPHeaders) -> String? {
        let values = headers[name]
        return values.count == 1 ? values.first : nil
    }

    private static func combined(_ name: String, in headers: HTTPHeaders) -> String? {
        let values = headers[name]
        return values.isEmpty ? nil : values.joined(separator: ", ")
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
