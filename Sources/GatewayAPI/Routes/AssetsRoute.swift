import HTTPTypes
import Hummingbird

/// `/assets/…`: the style and the scripts of the pages, from the executable itself.
struct AssetsRoute: Sendable {
    let dependencies: GatewayDependencies

    private static let icon = (content: ResultContent(PackageResources.icon_svg), type: "image/svg+xml")

    private static let assets: [String: (content: ResultContent, type: String)] = [
        "style.css": (ResultContent(PackageResources.style_css), "text/css"),
        "icon.svg": icon,
        "task.js": (ResultContent(PackageResources.task_js), "text/javascript"),
        "dump.js": (ResultContent(PackageResources.dump_js), "text/javascript"),
        "submit.js": (ResultContent(PackageResources.submit_js), "text/javascript"),
    ]

    func add(to router: GatewayRouter) {
        // Browsers ask for this one where a text names no icon.
        let assets = Self.assets.map { ("assets/\($0.key)", $0.value) } + [("favicon.ico", Self.icon)]
        for (path, asset) in assets {
            router.onGet(RouterPath(path)) { request, _ in
                try ResultResponse(
                    dependencies: dependencies, content: asset.content, mediaType: asset.type, cacheControl: "no-cache"
                ).answer(to: request)
            }
        }
    }
}
