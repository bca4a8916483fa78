import HTTPTypes
import Hummingbird
import NIOCore

/// `/openapi.json`: the description of this API by the OpenAPI Specification, version 3.1.
///
/// `Documents/openapi.json` is written by hand. Tests compare its paths and methods with the router's, and fuzz a running
/// gateway with it.
struct OpenAPIRoute: Sendable {
    func add(to router: GatewayRouter) {
        router.onGet("openapi.json") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: PackageResources.openapi_json)))
        }
    }
}
