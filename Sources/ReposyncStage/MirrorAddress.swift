import Distributions
import SystemPackage

/// Where files of a repository are fetched from.
enum MirrorAddress: Hashable, Sendable, CustomStringConvertible {
    /// A base URL of `http` or `https`, without a slash at the end.
    case web(String)
    case folder(FilePath)
    /// `rsync://` or `ftp://`.
    case tool(ToolMirror)

    init(_ address: String) {
        if address.hasPrefix("file://") {
            self = .folder(FilePath(String(address.dropFirst(7))))
        } else if address.hasPrefix("/") {
            self = .folder(FilePath(address))
        } else if let mirror = ToolMirror(address) {
            self = .tool(mirror)
        } else {
            self = .web(address)
        }
    }

    /// As apt's sources have it.
    var address: String {
        switch self {
        case .web(let base): base
        case .tool(let mirror): mirror.base
        case .folder(let path): path.string
        }
    }

    /// For people; of a folder only the last name is told.
    var description: String {
        switch self {
        case .web(let base): base
        case .tool(let mirror): mirror.base
        case .folder(let path): "the local folder '\(path.lastComponent?.string ?? "/")'"
        }
    }

    /// The URL of a file; whatever is not plain in the path is percent-encoded (RFC 3986).
    static func url(_ base: String, _ path: String) -> String {
        var url = base + "/"
        let digits = Array("0123456789ABCDEF".unicodeScalars)
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                url.unicodeScalars.append(Unicode.Scalar(byte))
            case _ where "-._~/+:@,=".utf8.contains(byte):
                url.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                url.unicodeScalars.append("%")
                url.unicodeScalars.append(digits[Int(byte >> 4)])
                url.unicodeScalars.append(digits[Int(byte & 15)])
            }
        }
        return url
    }
}

extension Repository {
    /// The mirrors in order; those of the host's apt stand where the plugin says so.
    func addresses(_ apt: AptSources) -> [MirrorAddress] {
        var addresses: [MirrorAddress] = []
        for mirror in mirrors {
            let found =
                switch mirror {
                case .address(let address): [address]
                case .hostAptSources: apt.addresses(suite: suite ?? "", components: components)
                }
            for address in found.map({ MirrorAddress($0) }) where !addresses.contains(address) {
                addresses.append(address)
            }
        }
        return addresses
    }
}

/// Whether a path from metadata may be used below a mirror: relative, without `..`, `.`, empty parts and odd bytes.
func isPlainPath(_ path: String) -> Bool {
    guard (1...1024).contains(path.utf8.count), path.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != 0x5c })
    else { return false }
    return path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
        !$0.isEmpty && $0 != "." && $0 != ".."
    }
}
