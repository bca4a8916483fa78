package import NIOCore

/// The IP address of a client; an IPv4 address that is mapped into IPv6 is the IPv4 address.
package struct ClientAddress: Hashable, Sendable {
    /// 4 bytes or 16.
    let bytes: [UInt8]

    /// - Returns: nil for a Unix domain socket.
    package init?(_ address: SocketAddress?) {
        switch address {
        // ip(7) and ipv6(7): the address stands behind family and port, and in IPv6 behind the flow's label too.
        case .v4(let address): self.init(withUnsafeBytes(of: address.address) { Array($0[4..<8]) })
        case .v6(let address): self.init(withUnsafeBytes(of: address.address) { Array($0[8..<24]) })
        case .unixDomainSocket, nil: return nil
        }
    }

    /// An address as text, such as `192.0.2.1` or `2001:db8::1`; with brackets or a port it is none.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count <= 45, let address = try? SocketAddress(ipAddress: String(text), port: 0) else {
            return nil
        }
        self.init(address)
    }

    private init(_ bytes: [UInt8]) {
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
        self.bytes = bytes.starts(with: mapped) && bytes.count == 16 ? Array(bytes.dropFirst(12)) : bytes
    }

    /// Whether it is this machine itself: 127.0.0.0/8 or ::1.
    package var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes == [UInt8](repeating: 0, count: 15) + [1]
    }

    /// What limits count by: an IPv4 address, or the /64 of an IPv6 address, within which a host has as many as it likes.
    var network: [UInt8] { bytes.count == 16 ? Array(bytes.prefix(8)) : bytes }
}

/// Addresses that share their first bits: `10.0.0.0/8`, `2001:db8::/32`, or a single address.
package struct AddressRange: Hashable, Sendable {
    private let address: ClientAddress
    private let bits: Int

    /// - Returns: nil when the text is no address or range.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, let address = ClientAddress(first), parts.count <= 2 else { return nil }
        let width = address.bytes.count * 8
        guard parts.count == 2 else {
            self.address = address
            bits = width
            return
        }
        guard isDigits(parts[1]), let bits = Int(parts[1]), bits <= width else { return nil }
        self.address = address
        self.bits = bits
    }

    /// Ranges separated by commas or spaces; nil when one of them is none.
    package static func list(_ text: String) -> [AddressRange]? {
        var ranges: [AddressRange] = []
        for word in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
            guard let range = AddressRange(word) else { return nil }
            ranges.append(range)
        }
        return ranges
    }

    package func contains(_ other: ClientAddress) -> Bool {
        guard other.bytes.count == address.bytes.count else { return false }
        let whole = bits / 8
        guard other.bytes.prefix(whole) == address.bytes.prefix(whole) else { return false }
        let rest = bits % 8
        return rest == 0 || (other.bytes[whole] ^ address.bytes[whole]) >> (8 - rest) == 0
    }
}
