import HTTPTypes
import HummingbirdTesting
import Testing

@Suite struct FrontPageTests {
    @Test func frontPageNamesReleasesLoadAndTheCommand() async throws {
        try await GatewayBench.run { _, client in
            let response = try await client.get("/")
            #expect(response.status == .ok && response.isWellFormed("text/html"))
            #expect(response.text.contains("<th scope=\"row\">debian-12-x86_64</th>"))
            #expect(response.text.contains("retrace submit --server http://localhost"))
            #expect(response.text.contains("0 % (0 of 10 tasks)"))
            for address in [
                "/openapi.json", "/&lt;task&gt;/exploitable", "/&lt;task&gt;/delete", "/checkpackage", "/stats.json",
            ] { #expect(response.text.contains("<code>\(address)</code>"), "\(address)") }
            #expect(!response.text.contains("<code>/repos"))
        }
    }

    @Test func emptyServerSaysHowToAddARelease() async throws {
        try await GatewayBench.run(releases: []) { _, client async throws in
            #expect(try await client.get("/").text.contains("retrace sync"))
        }
    }

    @Test func hostHeaderIsEscaped() async throws {
        try await GatewayBench.run(.live) { _, client in
            let answer = try await exchange(
                "GET / HTTP/1.1\r\nHost: <script>alert(1)</script>\r\nConnection: close\r\n\r\n", port: client.port)
            #expect(answer.contains("200 OK"))
            #expect(!answer.contains("<script>"))
            #expect(answer.contains("&lt;script&gt;"))
        }
    }
}
