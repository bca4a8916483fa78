import HTTPTypes
import Hummingbird

/// An answer other than success, in words for the person at the other end.
struct Refusal: Error {
    let status: HTTPResponse.Status
    /// What happened, as one sentence.
    let reason: Message
    /// What to do next, as one sentence.
    let advice: Message?
    /// What the answer carries besides its text.
    var headers = HTTPFields()
    /// Seconds after which it is worth trying again.
    let retryAfterSeconds: Int?

    /// - Parameter values: What stands in the gaps of both sentences.
    init(
        _ status: HTTPResponse.Status, _ reason: Sentence, advice: Sentence? = nil,
        with values: [String: any CustomStringConvertible & Sendable] = [:], retryAfterSeconds: Int? = nil
    ) {
        self.init(
            status, Message(reason, values), advice: advice.map { Message($0, values) },
            retryAfterSeconds: retryAfterSeconds)
    }

    init(_ status: HTTPResponse.Status, _ reason: Message, advice: Message?, retryAfterSeconds: Int? = nil) {
        self.status = status
        self.reason = reason
        self.advice = advice
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// The sentences in this language; status and headers are the same in every one.
    func response(in language: Language) -> Response {
        var headers = headers
        if let retryAfterSeconds { headers[.retryAfter] = String(retryAfterSeconds) }
        let lines = [reason, advice].compactMap { $0?.text(in: language) }
        return plainText(lines.joined(separator: "\n") + "\n", status, headers)
    }

    /// A path, or a task, that there is not.
    static let notFound = Refusal(.notFound, .nothingHere, advice: .whereThingsAre)
}

/// A response of plain text; the media type carries no charset because ABRT's clients were written against that.
func plainText(
    _ text: String, _ status: HTTPResponse.Status = .ok, _ headers: HTTPFields = HTTPFields()
) -> Response {
    var headers = headers
    headers[.contentType] = "text/plain"
    return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
}

extension HTTPResponse.Status {
    /// 507 of RFC 4918, which the framework does not name.
    static let insufficientStorage = Self(code: 507, reasonPhrase: "Insufficient Storage")
}
