import HTTPTypes
import Hummingbird
import Mustache
import NIOCore

/// The templates of the web pages, and what holds for every page.
///
/// Everything that a template shows is escaped, and no script or style but our own files is allowed, so that nothing from an
/// upload can become part of a page.
struct Pages: Sendable {
    private let library: MustacheLibrary

    /// - Throws: The parser's error when an embedded template is broken, which a test rules out.
    init() throws {
        let sources: [String: [UInt8]] = [
            "head": PackageResources.head_mustache, "foot": PackageResources.foot_mustache,
            "front": PackageResources.front_mustache, "submit": PackageResources.submit_mustache,
            "deleted": PackageResources.deleted_mustache, "locked": PackageResources.locked_mustache,
            "task": PackageResources.task_mustache,
            "stages": PackageResources.stages_mustache, "frames": PackageResources.frames_mustache,
            "results": PackageResources.results_mustache, "stats": PackageResources.stats_mustache,
        ]
        library = MustacheLibrary(
            templates: try sources.mapValues { try MustacheTemplate(string: String(decoding: $0, as: UTF8.self)) })
    }

    func response(
        _ template: String, _ page: some Sendable, status: HTTPResponse.Status = .ok
    ) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = "text/html"
        headers[.contentSecurityPolicy] = Self.policy
        headers[.cacheControl] = "no-store"
        headers[.referrerPolicy] = "no-referrer"
        headers[.crossOriginOpenerPolicy] = "same-origin"
        let html = library.render(page, withTemplate: template) ?? ""
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: html)))
    }

    static let policy =
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
        + "base-uri 'none'; frame-ancestors 'none'"
}

/// Hostile text for a page: nothing that turns the direction of writing, and at most `count` characters. The template
/// escapes it.
func shown(_ text: String, _ count: Int = 2000) -> String {
    let start = text.prefix(count)
    return printable(start.endIndex == text.endIndex ? text : start + "…")
}
