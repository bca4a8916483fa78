import HTTPTypes
import Hummingbird

/// `/checkpackage`: whether a package is in a mirror, so that a client need not upload in vain.
///
/// 302 means known and carries no Location, because ABRT's client would follow it; 404 means unknown. Both are empty.
struct CheckPackageRoute: Sendable {
    let dependencies: GatewayDependencies

    func add(to router: GatewayRouter) {
        router.onAnyMethod("checkpackage") { request, _ in
            let question = try Self.question(request.headers)
            return plainText("", try await dependencies.knowsPackage(question) ? .found : .notFound)
        }
    }

    /// The headers, checked in upstream's order.
    ///
    /// Upstream refuses `^` and an epoch of 0, which real packages have, and blanks in a release, which real clients send;
    /// here they are taken.
    ///
    /// - Throws: ``Refusal`` with 403.
    static func question(_ headers: HTTPFields) throws(Refusal) -> PackageQuestion {
        guard let package = headers[.packageNVR] else {
            throw Refusal(.forbidden, .packageMissing, advice: .howToAskForAPackage)
        }
        guard isPackage(package) else {
            throw Refusal(.forbidden, .packageMalformed, advice: .howToAskForAPackage)
        }
        guard let architecture = headers[.packageArch] else {
            throw Refusal(.forbidden, .architectureMissing, advice: .howToAskForAPackage)
        }
        guard isArchitecture(architecture) else {
            throw Refusal(.forbidden, .architectureMalformed, advice: .howToAskForAPackage)
        }
        let release = headers[.osRelease]
        guard release.map(isRelease) ?? true else {
            throw Refusal(.forbidden, .releaseMalformed, advice: .howToAskForAPackage)
        }
        return PackageQuestion(package: package, architecture: architecture, releaseID: release)
    }

    private static func isPackage(_ text: String) -> Bool {
        (3...512).contains(text.utf8.count) && text.contains("-") && text.utf8.allSatisfy(isPackageByte)
    }

    private static func isPackageByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "_.+-~^:".utf8.contains(byte)
        }
    }

    /// A word, as upstream has it: whether any machine has that name is another question.
    private static func isArchitecture(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { isPackageByte($0) && !".+-~^:".utf8.contains($0) }
    }

    private static func isRelease(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return text.utf8.count <= 256 && parts.count >= 3 && parts.allSatisfy { !$0.isEmpty }
            && text.utf8.allSatisfy { (0x20..<0x7f).contains($0) && $0 != UInt8(ascii: "/") }
    }
}

extension HTTPField.Name {
    static let packageNVR = named("X-Package-NVR")
    static let packageArch = named("X-Package-Arch")
    static let osRelease = named("X-OS-Release")
}
