// swift-tools-version: 6.2
import PackageDescription

// Targets stand in layer order, the lowest first: a row may use only what stands above it.
// `make check` compares the imports in Sources/ with the table of arrows in ARCHITECTURE.md.

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(name: "HummingbirdTesting", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1 = Target.Dependency.product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioFoundation = Target.Dependency.product(name: "NIOFoundationCompat", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

func test(_ module: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(module)Tests", dependencies: [.byName(name: module), "TestFixtures"] + dependencies, exclude: exclude)
}

let package = Package(
    name: "retrace",
    products: [
        .executable(name: "gateway", targets: ["gateway"]),
        .executable(name: "ingest", targets: ["ingest"]),
        .executable(name: "resolver", targets: ["resolver"]),
        .executable(name: "chroot-builder", targets: ["chroot-builder"]),
        .executable(name: "retracer", targets: ["retracer"]),
        .executable(name: "reposync", targets: ["reposync"]),
        .executable(name: "retrace", targets: ["retrace"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.30.0"),
        .package(
            url: "https://github.com/apple/swift-configuration", from: "1.4.0",
            traits: ["YAML", "CommandLineArguments"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.6.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    ],
    targets: [
        // L0: C libraries, a module map and a shim each
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(name: "CRabbitMQ", pkgConfig: "librabbitmq", providers: [.apt(["librabbitmq-dev"])]),
        .systemLibrary(name: "CXML", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        // zlib and zstd; both are linked by the module map.
        .systemLibrary(name: "CPageCompression", providers: [.apt(["zlib1g-dev", "libzstd-dev"])]),
        .systemLibrary(name: "CSolv", pkgConfig: "libsolv", providers: [.apt(["libsolv-dev", "libsolvext-dev"])]),

        // L1: the field's nouns, readers of formats, the broker, the sandbox
        .target(name: "CrashModel"),
        .target(name: "ELF", dependencies: ["CrashModel", system]),
        .target(name: "PageCompression", dependencies: ["CPageCompression"]),
        .target(name: "Coredumps", dependencies: ["CrashModel", "ELF", "PageCompression", system]),
        .target(name: "Archives", dependencies: ["CArchive", system]),
        .target(name: "RPMRepodata", dependencies: ["CXML", "CrashModel", "Archives", system]),
        .target(name: "MessageQueue", dependencies: ["CRabbitMQ", logging]),
        .target(
            name: "HTTPConnections",
            dependencies: [
                hummingbirdCore, logging, nioCore, nioHTTP1, nioHTTPTypes, nioHTTPTypesHTTP1, nioSSL, system,
            ]),
        .target(name: "Sandbox", dependencies: [nioPosix, subprocess, system]),

        // L2: what is written down: messages, tasks, packages, distributions
        .target(name: "JobMessages", dependencies: ["CrashModel"]),
        .target(name: "TaskStorage", dependencies: ["CrashModel", grdb, crypto, system]),
        .target(
            name: "Packages",
            dependencies: ["CrashModel", "ELF", "Archives", "RPMRepodata", grdb, crypto, nioPosix, system]),
        .target(name: "Distributions", dependencies: ["CrashModel", yams, system]),
        .target(name: "Dependencies", dependencies: ["CrashModel", "CSolv", system]),

        // L3: the rooms
        .target(
            name: "GatewayAPI",
            dependencies: [
                "CZlib", "CrashModel", "Archives", "HTTPConnections", "JobMessages", "TaskStorage", crypto, hummingbird,
                httpTypes, mustache, logging, nioCore, nioHTTP1, nioPosix, serviceLifecycle, system,
            ],
            exclude: ["Translations/README.md"],
            resources: [
                .embedInCode("Templates"), .embedInCode("Assets"), .embedInCode("Documents"),
                .embedInCode("Translations"),
            ]),
        .target(
            name: "IngestStage",
            dependencies: [
                "CrashModel", "ELF", "Archives", "Coredumps", "Sandbox", "TaskStorage", nioPosix, system,
            ]),
        .target(
            name: "ResolveStage",
            dependencies: [
                "CrashModel", "Packages", "Distributions",
            ]),
        .target(
            name: "ChrootStage",
            dependencies: [
                "CrashModel", "ELF", "Packages", "Distributions", "Dependencies", crypto, nioPosix, system,
            ]),
        .target(
            name: "RetraceStage",
            dependencies: [
                "CrashModel", "ELF", "Coredumps", "Sandbox", "TaskStorage", nioPosix, system,
            ],
            resources: [.embedInCode("Scripts")]),
        .target(
            name: "ReposyncStage",
            dependencies: [
                "CrashModel", "Packages", "Distributions", "Dependencies", "Archives", "RPMRepodata", "Sandbox",
                asyncHTTPClient, crypto, nioCore, nioHTTP1, nioPosix, system,
            ]),
        .target(
            name: "RetraceClient",
            dependencies: [
                "CrashModel", "ELF", "Coredumps", "Archives", "Sandbox", asyncHTTPClient, nioCore, nioHTTP1, nioPosix,
                nioSSL, system,
            ]),

        // L4: the worker loop, bootstrap, health
        .target(
            name: "ServiceRuntime",
            dependencies: [
                "CrashModel", "MessageQueue", "JobMessages", configuration, logging, nioPosix, serviceLifecycle, system,
                unixSignals, yams,
            ]),

        // L5: executables: they parse, wire and run
        .executableTarget(
            name: "gateway",
            dependencies: [
                "ServiceRuntime", "GatewayAPI", "HTTPConnections", "TaskStorage", "JobMessages", "MessageQueue",
                "CrashModel", "Distributions", "Packages", hummingbird, nioPosix, logging, serviceLifecycle, system,
            ]),
        .executableTarget(
            name: "ingest",
            dependencies: [
                "ServiceRuntime", "IngestStage", "JobMessages", "CrashModel", "TaskStorage", nioPosix, system,
            ]),
        .executableTarget(
            name: "resolver",
            dependencies: [
                "ServiceRuntime", "ResolveStage", "JobMessages", "CrashModel", "Packages", "Distributions",
                "TaskStorage", nioPosix, system,
            ]),
        .executableTarget(
            name: "chroot-builder",
            dependencies: [
                "ServiceRuntime", "ChrootStage", "Coredumps", "ELF", "JobMessages", "CrashModel", "Packages",
                "Distributions",
                "TaskStorage", nioPosix, logging, system,
            ]),
        .executableTarget(
            name: "retracer",
            dependencies: [
                "ServiceRuntime", "RetraceStage", "ChrootStage", "JobMessages", "CrashModel", "Sandbox",
                "TaskStorage", nioPosix, system,
            ]),
        .executableTarget(
            name: "reposync",
            dependencies: [
                "ServiceRuntime", "ReposyncStage", "JobMessages", "CrashModel", "Distributions", logging, system,
            ]),
        .executableTarget(
            name: "retrace",
            dependencies: [
                "ServiceRuntime", "RetraceClient", "ReposyncStage", "RetraceStage", "Distributions", "JobMessages",
                "MessageQueue", "CrashModel", "Sandbox", "TaskStorage", argumentParser, logging, nioPosix, system,
            ]),

        // What `make bench` runs beside the services
        .executableTarget(
            name: "measure",
            dependencies: ["ResolveStage", "JobMessages", "CrashModel", "Packages", "Distributions", system]),

        // Tests: a target for every module, and the journeys that need a broker, gdb and an archive
        .target(
            name: "TestFixtures",
            dependencies: ["CrashModel", "Archives", "CArchive", "Sandbox", nioPosix, subprocess, system],
            path: "Tests/TestFixtures"
        ),
        test("CrashModel"),
        test("ELF", ["CrashModel", system]),
        test("PageCompression", [subprocess, system]),
        test("Coredumps", ["CrashModel", "ELF", "Sandbox", subprocess, system]),
        test("Archives", ["CArchive", system]),
        test("RPMRepodata", ["CrashModel", subprocess, system]),
        test("MessageQueue", [logging, subprocess, system]),
        test(
            "HTTPConnections",
            [nioCore, nioEmbedded, nioHTTP1, nioPosix, nioSSL, nioTLS, subprocess, system]),
        test("Sandbox", [system]),
        test("JobMessages", ["CrashModel"], exclude: ["Golden"]),
        test("TaskStorage", ["CrashModel", grdb, system]),
        test("Packages", ["CrashModel", "Sandbox", "Archives", "ELF", "RPMRepodata", grdb, system]),
        test("Distributions", ["CrashModel", system]),
        test("Dependencies", ["CrashModel", system]),
        test(
            "GatewayAPI",
            [
                "CrashModel", "HTTPConnections", "JobMessages", "Sandbox", "TaskStorage", hummingbird,
                hummingbirdTesting, httpTypes,
                logging, nioCore, nioPosix, nioSSL, system,
            ]),
        test("IngestStage", ["CrashModel", "Archives", "Coredumps", "TaskStorage", system]),
        test("ResolveStage", ["CrashModel", "Archives", "Packages", "Distributions", "TaskStorage", system]),
        test(
            "ChrootStage",
            ["CrashModel", "ELF", "Packages", "Distributions", "Dependencies", "TaskStorage", "Sandbox", system]),
        // ChrootStage makes the debugger's root of the tests, as in production.
        test(
            "RetraceStage",
            ["CrashModel", "Coredumps", "ELF", "Sandbox", "Distributions", "ChrootStage", "TaskStorage", system]),
        test(
            "ReposyncStage",
            [
                "CrashModel", "Packages", "Distributions", "Sandbox", "Dependencies", nioCore, nioHTTP1, nioPosix,
                subprocess, system,
            ]),
        test(
            "RetraceClient",
            ["CrashModel", "ELF", "Coredumps", "Archives", hummingbird, httpTypes, logging, nioCore, system]),
        test(
            "ServiceRuntime",
            ["CrashModel", "MessageQueue", "JobMessages", configuration, logging, serviceLifecycle, system]),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "gateway", "CrashModel", "GatewayAPI", "HTTPConnections", "JobMessages", "MessageQueue",
                "ServiceRuntime", "TaskStorage", "TestFixtures", logging, nioCore, serviceLifecycle, subprocess, system,
            ]),
        .testTarget(
            name: "RetracerTests",
            dependencies: [
                "retracer", "CrashModel", "JobMessages", "RetraceStage", "ServiceRuntime", "TaskStorage",
                "TestFixtures", logging, system,
            ]),
        // What `make fuzz` feeds, and the replay of its corpus
        .target(
            name: "FuzzTargets",
            dependencies: [
                "CrashModel", "ELF", "Coredumps", "IngestStage", "GatewayAPI", "HTTPConnections", "JobMessages",
                "TaskStorage", "TestFixtures", hummingbird, logging, system,
            ], path: "Tests/FuzzTargets"),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets", "TestFixtures", nioPosix, system]),
        // It runs the executables; being its dependencies they are built, and stand beside the test bundle.
        .testTarget(
            name: "LiveTests",
            dependencies: [
                "gateway", "ingest", "resolver", "chroot-builder", "retracer", "reposync", "retrace",
                "CrashModel", "JobMessages", "MessageQueue", "RetraceStage", "Sandbox", "TestFixtures",
                asyncHTTPClient, logging, nioCore, nioHTTP1, subprocess, system,
            ]),
    ]
)

// `make fuzz` names the run time of libFuzzer; only then is there an executable that needs it.
let fuzzer = Context.environment["RETRACE_FUZZER"]
if let fuzzer {
    package.targets += [
        .target(name: "CFuzzer", path: "fuzz/CFuzzer"),
        .executableTarget(
            name: "fuzz", dependencies: ["CFuzzer", "FuzzTargets", "TestFixtures", system], path: "fuzz/Harness",
            linkerSettings: [.unsafeFlags([fuzzer, "-lstdc++"])]),
    ]
}

for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ]
    if fuzzer != nil { target.swiftSettings?.append(.unsafeFlags(["-sanitize=fuzzer"])) }
}
