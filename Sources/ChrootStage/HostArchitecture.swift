package import CrashModel
import Glibc

extension Architecture {
    /// The architecture of the machine that this runs on (uname(2)); nil for one that no release has.
    package static var host: Architecture? {
        var names = utsname()
        guard uname(&names) == 0 else { return nil }
        let machine = withUnsafeBytes(of: names.machine) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return try? Architecture(machine)
    }

    /// Whether programs of this architecture start on `host` without an emulator.
    func runs(on host: Architecture?) -> Bool {
        self == host || (self == .i386 && host == .x86_64)
    }
}
