import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import GatewayAPI

/// The OpenAPI document says of every route of the router, and of no other, what it answers.
@Suite struct OpenAPITests {
    private struct Document: Decodable {
        let openapi: String
        let paths: [String: Path]
    }

    /// The methods of a path; with `x-any-method` the router takes all others too.
    private struct Path: Decodable {
        let methods: Set<String>
        let takesAnyMethod: Bool

        private struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        private struct Operation: Decodable {
            let operationId: String
            let responses: [String: Response]
            struct Response: Decodable {}
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            var methods: Set<String> = []
            for key in container.allKeys where Self.all.contains(key.stringValue.uppercased()) {
                let operation = try container.decode(Operation.self, forKey: key)
                guard !operation.operationId.isEmpty, operation.responses.count > 1 else { continue }
                methods.insert(key.stringValue.uppercased())
            }
            self.methods = methods
            takesAnyMethod = try container.decodeIfPresent(Bool.self, forKey: Key(stringValue: "x-any-method")) ?? false
        }

        static let all: Set = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]
    }

    private func document() throws -> Document {
        try JSONDecoder().decode(Document.self, from: Data(PackageResources.openapi_json))
    }

    /// The router's paths as the document writes them, with their methods.
    private func routes() async throws -> [String: Set<String>] {
        let (found, report) = AsyncStream.makeStream(of: [String: Set<String>].self)
        try await GatewayBench.run { bench, _ in
            var routes: [String: Set<String>] = [:]
            for route in try buildRouter(bench.dependencies).routes {
                let parts = route.path.description.split(separator: "/").map { part in
                    part.hasPrefix(":") ? "{\(part.dropFirst())}" : part == "**" ? "{path}" : String(part)
                }
                routes["/" + parts.joined(separator: "/"), default: []].insert(route.method.rawValue)
            }
            report.yield(routes)
        }
        return try #require(await found.first { _ in true })
    }

    @Test func everyRouteIsDescribedAndEveryDescriptionHasItsRoute() async throws {
        let (document, routes) = (try document(), try await routes())
        #expect(document.openapi == "3.1.0")
        #expect(Set(document.paths.keys).symmetricDifference(routes.keys).sorted() == [])
        for (path, methods) in routes {
            let described = try #require(document.paths[path])
            if described.takesAnyMethod {
                #expect(methods.isSuperset(of: Path.all) && described.methods.count == 1, "\(path)")
            } else {
                // What is not described is answered with 405; HEAD goes with GET.
                #expect(methods.isSuperset(of: Path.all), "\(path)")
            }
        }
    }

    @Test func methodsThatAreNotDescribedAre405() async throws {
        let document = try document()
        try await GatewayBench.run { _, client in
            for (path, described) in document.paths where !described.takesAnyMethod {
                let address = path.replacing("{id}", with: "123456789").replacing("{path}", with: "debian-12-x86_64")
                    .replacing("{name}", with: "exploitable")
                let taken = described.methods.union(described.methods.contains("GET") ? ["HEAD"] : [])
                for name in Path.all {
                    let response = try await client.get(address, method: try #require(.init(name)))
                    #expect((response.status == .methodNotAllowed) == !taken.contains(name), "\(name) \(path)")
                    guard response.status == .methodNotAllowed else { continue }
                    #expect(
                        response.headers[.allow]?.split(separator: ", ").map(String.init).sorted() == taken.sorted())
                }
            }
        }
    }

    @Test func documentIsServedAsItIsWritten() async throws {
        try await GatewayBench.run { _, client in
            let response = try await client.get("/openapi.json")
            #expect(response.status == .ok && response.isWellFormed("application/json"))
            #expect(Array(response.text.utf8) == PackageResources.openapi_json)
        }
    }
}
