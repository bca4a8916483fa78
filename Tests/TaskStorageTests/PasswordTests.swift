import TaskStorage
import Testing

@Suite struct PasswordTests {
    @Test func passwordsAre32LettersAndDigitsAndDiffer() {
        let passwords = (0..<100).map { _ in TaskPassword().text }
        #expect(Set(passwords).count == 100)
        #expect(passwords.allSatisfy { $0.count == 32 && $0.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) } })
    }

    @Test func onlyTheSamePasswordMatches() {
        let password = TaskPassword().text
        let hash = PasswordHash(of: password)
        #expect(hash.matches(password))
        #expect(!hash.matches(password.dropLast()))
        #expect(!hash.matches(password + "x"))
        #expect(!hash.matches(""))
    }

    /// HMAC's own comparison looks at all bytes (RFC 2104; CryptoKit's is in constant time), so that each of them counts.
    @Test func everyByteOfTheDigestCounts() {
        let password = TaskPassword().text
        let hash = PasswordHash(of: password)
        for place in hash.digest.indices {
            var digest = hash.digest
            digest[place] ^= 1
            #expect(!PasswordHash(salt: hash.salt, digest: digest).matches(password))
        }
        #expect(!PasswordHash(salt: hash.salt, digest: Array(hash.digest.dropLast())).matches(password))
        #expect(!PasswordHash(salt: hash.salt, digest: []).matches(password))
    }

    @Test func samePasswordIsStoredDifferentlyEachTime() {
        let (one, other) = (PasswordHash(of: "p"), PasswordHash(of: "p"))
        #expect(one.salt != other.salt)
        #expect(one.digest != other.digest)
        #expect(one.digest.count == 32)
    }
}
