import CrashModel
import Distributions
import Sandbox
import SystemPackage

/// A keyring of exactly the keys that a repository names, as a file for gpgv.
func writeKeyring(for repository: Repository, to path: FilePath) throws {
    var packets: [UInt8] = []
    for key in repository.keys {
        let name = key.lastComponent?.string ?? "key"
        let bytes: [UInt8]
        do { bytes = try readFile(key, limit: 1 << 20) } catch {
            throw StageError.sync(
                .badSignature, "The key file \(name) of repository '\(repository.name)' cannot be read: \(error).",
                advice: "gpg/README.md says where keys come from.")
        }
        guard let key = dearmoured(String(decoding: bytes, as: UTF8.self)) else {
            throw StageError.sync(
                .badSignature, "The key file \(name) of repository '\(repository.name)' is no armoured public key.",
                advice: "Export it with 'gpg --armor --export'.")
        }
        packets += key
    }
    try writeFile(packets, to: path)
}

/// The text that a clear-signed file's signature covers, and nothing that stands around it.
///
/// At least one signature must be good, of a key in `keyring` that has neither expired nor been revoked, and with a
/// digest of the SHA-2 family; none may be bad. Debian signs with the keys of neighbouring releases too, so that
/// signatures of unknown keys beside a good one are normal. The words are those of GnuPG's `doc/DETAILS`.
///
/// - Returns: The signed text, or the reason why it cannot be trusted.
func verifiedText(
    of file: FilePath, keyring: FilePath, in work: FilePath
) async throws -> Result<[UInt8], MirrorFailure> {
    let output = work.appending("signed-text")
    try removeFile(output)
    let result: ChildResult
    do {
        result = try await runTool([
            "gpgv", "--status-fd", "1", "--homedir", work.string, "--keyring", keyring.string, "--output",
            output.string, file.string,
        ])
    } catch {
        if error.code == .cancelled { throw CancellationError() }
        throw StageError.sync(.internalError, "gpgv could not be run: \(error).", retryAfter: .seconds(60))
    }
    guard case .exited = result.termination else {
        throw StageError.sync(
            .internalError, "The signature of an index could not be checked: gpgv \(result.termination).",
            retryAfter: .seconds(60), exitStatus: result.termination.exitStatus)
    }
    let status = String(decoding: result.standardOutput, as: UTF8.self)
    if let reason = distrust(status) { return .failure(MirrorFailure(.altered, reason)) }
    do {
        return .success(try readFile(output, limit: 64 << 20))
    } catch Errno.noSuchFileOrDirectory {
        return .failure(MirrorFailure(.altered, "gpgv found no signed text in it"))
    }
}

/// Why gpgv's status lines are no proof; nil when they are.
func distrust(_ status: String) -> String? {
    let lines = status.split(separator: "\n").compactMap { line -> [Substring]? in
        let words = line.split(separator: " ")
        return words.first == "[GNUPG:]" && words.count > 1 ? Array(words.dropFirst()) : nil
    }
    let has = { (word: Substring) in lines.contains { $0.first == word } }
    if has("BADSIG") { return "its signature does not fit its text: it was altered" }
    var isGood = false
    var foundGood = false
    for words in lines {
        switch words[0] {
        case "GOODSIG": isGood = true
        case "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "ERRSIG", "NEWSIG": isGood = false
        case "VALIDSIG":
            // The ninth word is the digest: 8 to 11 are SHA-256, SHA-384, SHA-512 and SHA-224.
            if isGood, words.count > 8, let digest = Int(words[8]), (8...11).contains(digest) { foundGood = true }
        default: break
        }
    }
    if foundGood { return nil }
    if has("REVKEYSIG") { return "the key that signed it was revoked" }
    if has("EXPKEYSIG") { return "the key that signed it has expired" }
    if has("NO_PUBKEY") { return "it is signed by a key that the distribution's plugin does not name" }
    return has("GOODSIG") ? "its signature uses a digest that is no longer safe" : "it has no signature"
}
