import HTTPTypes
import Hummingbird
import Logging

/// What holds for every response: refusals become plain text in the client's language, the cause of a fault goes to the log and not to the client,
/// HEAD gets no body, and browsers neither guess the type of hostile text nor keep it.
struct ResponseRules: RouterMiddleware {
    typealias Context = GatewayContext
    let logger: Logger
    let languages: Languages

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = await answer(request, context, next)
        response.headers[.xContentTypeOptions] = "nosniff"
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        return request.method == .head ? response.withoutBody : response
    }

    private func answer(
        _ request: Request, _ context: Context, _ next: (Request, Context) async throws -> Response
    ) async -> Response {
        let language = languages.language(for: request.headers)
        do {
            return try await next(request, context)
        } catch let refusal as Refusal {
            return refusal.response(in: language)
        } catch let error as HTTPError where error.status == .notFound {
            return Refusal.notFound.response(in: language)
        } catch {
            let number = context.logger[metadataKey: "hb.request.id"].map { "\($0)" } ?? "unknown"
            logger.error(
                "request failed",
                metadata: [
                    "path": "\(request.uri.path)", "method": "\(request.method.rawValue)", "error": "\(error)",
                    "request": "\(number)",
                ])
            return Refusal(
                .internalServerError, .ownFault, advice: .quoteTheRequest, with: ["request": number]
            ).response(in: language)
        }
    }
}

extension Response {
    /// The answer to HEAD: of the same length as the one to GET, and of an unknown one where that is not known before the
    /// last byte is made.
    fileprivate var withoutBody: Response {
        guard body.contentLength == nil else { return createHeadResponse() }
        return Response(status: status, headers: headers, body: ResponseBody { try await $0.finish(nil) })
    }
}

/// The methods that there are, and the exact shapes of the addresses: no empty parts, and a final slash only after a task's id and a folder of `/repos`.
struct PathShapes: RouterMiddleware {
    typealias Context = GatewayContext

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard Self.isAllowed(request.uri.path) else { throw Refusal.notFound }
        // The router knows no route for a method that it does not know (RFC 9110, 9.1).
        guard GatewayRouter.methods.contains(request.method) else {
            let names = GatewayRouter.methods.map(\.rawValue).joined(separator: ", ")
            throw Refusal(.notImplemented, .onlyTheseMethods, advice: .seeFrontPage, with: ["methods": names])
        }
        return try await next(request, context)
    }

    static func isAllowed(_ path: String) -> Bool {
        guard path != "/", !path.isEmpty else { return true }
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        guard parts.dropLast().allSatisfy({ !$0.isEmpty }) else { return false }
        guard let last = parts.last, last.isEmpty else { return true }
        return parts[0] == "repos" || parts.count == 2 && isDigits(parts[0])
    }
}

/// Whether `text` is made of ASCII digits, at least one.
func isDigits(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
}
