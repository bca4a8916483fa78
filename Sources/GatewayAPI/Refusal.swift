import HTTPTypes
import Hummingbird

/// An answer other than success, in words for the person at the other end.
struct Refusal: Error {
    let status: HTTPResponse.Status
    /// What happened, as one sentence.
    let reason: String
    /// What to do next, as one sentence.
    let advice: String?
    /// Seconds after which it is worth trying again.
    let retryAfterSeconds: Int?

    init(_ status: HTTPResponse.Status, _ reason: String, advice: String? = nil, retryAfterSeconds: Int? = nil) {
        self.status = status
        self.reason = reason
        self.advice = advice
        self.retryAfterSeconds = retryAfterSeconds
    }

    var response: Response {
        var headers = HTTPFields()
        if let retryAfterSeconds { headers[.retryAfter] = String(retryAfterSeconds) }
        return plainText([reason, advice].compactMap { $0 }.joined(separator: "\n") + "\n", status, headers)
    }

    /// A path, or a task, that there is not.
    static let notFound = Refusal(
        .notFound, "There is nothing at this address.",
        advice: "Tasks are at /<task id>, and the front page says what else there is.")
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
