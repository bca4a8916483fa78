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

    @Test func samePasswordIsStoredDifferentlyEachTime() {
        let (one, other) = (PasswordHash(of: "p"), PasswordHash(of: "p"))
        #expect(one.salt != other.salt)
        #expect(one.digest != other.digest)
        #expect(one.digest.count == 32)
    }
}
