import Crypto

/// The password of a new task, in the clear: it exists only between its making and the answer to `/create`.
package struct TaskPassword: Sendable {
    /// 32 letters and digits from the system's CSPRNG, about 190 bits.
    package let text: String

    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

    /// Draws a password.
    package init() {
        var generator = SystemRandomNumberGenerator()
        text = String((0..<32).map { _ in Self.alphabet[Int.random(in: 0..<Self.alphabet.count, using: &generator)] })
    }
}

/// What is stored of a password: a random salt and an HMAC-SHA-256 under it.
///
/// A slow hash (scrypt, Argon2) slows down guessing at passwords that people think up. Ours are 190 random bits, which
/// nobody guesses at any speed, so one HMAC is enough, and it keeps a status request cheap.
package struct PasswordHash: Sendable, Equatable {
    /// 16 bytes.
    package let salt: [UInt8]
    /// 32 bytes.
    package let digest: [UInt8]

    package init(salt: [UInt8], digest: [UInt8]) {
        self.salt = salt
        self.digest = digest
    }

    /// A hash that no password has.
    static let ofNobody = PasswordHash(of: TaskPassword().text)

    /// Hashes `password` under a new salt.
    package init(of password: some StringProtocol) {
        var generator = SystemRandomNumberGenerator()
        salt = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let code = HMAC<SHA256>.authenticationCode(for: Array(password.utf8), using: SymmetricKey(data: salt))
        digest = Array(code)
    }

    /// Whether `password` is the one that was hashed; the time taken does not depend on where they differ.
    package func matches(_ password: some StringProtocol) -> Bool { ReadyPasswordHash(self).matches(password) }
}

/// A ``PasswordHash`` whose salt is worked in already, for the passwords of clients that ask again and again.
package struct ReadyPasswordHash: Sendable {
    private let salted: HMAC<SHA256>
    private let digest: [UInt8]

    init(_ hash: PasswordHash) {
        salted = HMAC<SHA256>(key: SymmetricKey(data: hash.salt))
        digest = hash.digest
    }

    /// As ``PasswordHash/matches(_:)``.
    package func matches(_ password: some StringProtocol) -> Bool {
        var code = salted
        var text = String(password)
        text.withUTF8 { code.update(data: UnsafeRawBufferPointer($0)) }
        // This == of swift-crypto looks at all bytes, wherever they differ.
        return code.finalize() == digest
    }
}
