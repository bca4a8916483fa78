import Glibc
import Sandbox
import SystemPackage

/// A public key of a file below `gpg/`, as gpg lists it.
struct PublicKey: Encodable, Hashable {
    /// In hexadecimal, without spaces.
    var fingerprint = ""
    var owner = ""
    /// Seconds since 1970; nil when it never expires.
    var expires: Int?
    var isRevoked = false

    enum CodingKeys: String, CodingKey {
        case fingerprint, owner, expires
        case isRevoked = "revoked"
    }

    func hasExpired(at now: Int) -> Bool { expires.map { $0 <= now } ?? false }

    /// Reads `--with-colons` output; the fields are those of GnuPG's `doc/DETAILS`.
    static func list(_ output: String) -> [PublicKey] {
        var keys: [PublicKey] = []
        for line in output.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count > 9 else { continue }
            switch fields[0] {
            case "pub": keys.append(PublicKey(expires: Int(fields[6]), isRevoked: fields[1] == "r"))
            case "fpr" where keys.last?.fingerprint == "": keys[keys.count - 1].fingerprint = String(fields[9])
            case "uid" where keys.last?.owner == "": keys[keys.count - 1].owner = String(fields[9].prefix(120))
            default: continue
            }
        }
        return keys
    }

    /// The keys in a file, or why they cannot be listed.
    static func inFile(_ path: FilePath) async -> Result<[PublicKey], KeyFault> {
        let result: ChildResult
        do {
            // It looks at the file alone: there is no home with a keyring, and the fast mode wants no database of trust.
            result = try await runTool([
                "gpg", "--homedir", "/nonexistent", "--no-default-keyring", "--batch", "--no-autostart", "--no-options",
                "--trust-model", "always", "--fast-list-mode", "--with-colons", "--show-keys", path.string,
            ])
        } catch {
            return .failure(KeyFault(reason: "cannot be looked at, since gpg could not be run: \(error)"))
        }
        if let problem = Self.problem(of: result) { return .failure(KeyFault(reason: problem)) }
        let keys = list(String(decoding: result.standardOutput, as: UTF8.self))
        guard !keys.isEmpty else {
            return .failure(KeyFault(reason: "holds no public key; export one with 'gpg --armor --export'"))
        }
        return .success(keys)
    }

    /// gpg ends with a status other than 0 here, since it has no keyring; that it ran is told by its own words.
    private static func problem(of result: ChildResult) -> String? {
        let words = String(decoding: result.standardError, as: UTF8.self)
        guard result.standardOutput.isEmpty, !words.contains("gpg:") else { return nil }
        return "cannot be looked at, since gpg \(result.termination): \(words.prefix(200))"
    }
}

/// Why the keys of a file are not known.
struct KeyFault: Error {
    let reason: String
}
