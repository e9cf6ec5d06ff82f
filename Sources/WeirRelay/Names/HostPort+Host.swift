import Glibc
import WeirWire

extension HostPort.Host {
    /// Reads a host without a port from the command line: a name, or an address.
    ///
    /// An IPv6 address may have brackets, and a zone that is a number or the name of an interface: `::1`, `[::1]`,
    /// `fe80::1%2`, `fe80::1%eth0`. Any other text is a name for the system's resolver, which also knows the short
    /// forms of IPv4 (`127.1`).
    ///
    /// - Parameter text: the host; the result is nil if it is neither a name nor an address.
    /// - Throws: `ResolveError` if this machine has no interface with the zone's name.
    public init?(alone text: String) throws(ResolveError) {
        let hasBrackets = text.hasPrefix("[") && text.hasSuffix("]") && text.count > 2
        let inner = hasBrackets ? String(text.dropFirst().dropLast()) : text
        if let address = try Self.address(inner) {
            guard !hasBrackets || !address.isV4 else { return nil }
            self = .address(address)
            return
        }
        let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && !":[]%/*".utf8.contains($0) }
        guard isPlain, !text.isEmpty, text.utf8.count <= 253 else { return nil }
        self = .name(text)
    }

    private static func address(_ text: String) throws(ResolveError) -> IPAddress? {
        if let address = IPAddress(text) { return address }
        guard let percent = text.firstIndex(of: "%") else { return nil }
        let interface = String(text[text.index(after: percent)...])
        guard let address = IPAddress(text[..<percent]), !address.isV4, !interface.isEmpty else { return nil }
        let scope = if_nametoindex(interface)
        guard scope != 0 else {
            throw ResolveError(name: text, reason: "this machine has no interface '\(interface)'")
        }
        return IPAddress(v6: address.high, low: address.low, scope: scope)
    }
}
