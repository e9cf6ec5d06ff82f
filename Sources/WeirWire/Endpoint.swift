/// An address and a port: one end of a flow.
///
/// Fixed in size and free of references, so it is cheap as a key of a dictionary.
@frozen
public struct Endpoint: Hashable, Sendable {
    /// The address of the host.
    public var address: IPAddress
    /// The port in host order.
    public var port: UInt16

    /// Creates an endpoint from an address and a port in host order.
    @inlinable
    public init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// Compares whole words; the synthesised `==` is a call that compares field by field.
    @inlinable
    @inline(__always)
    public static func == (left: Endpoint, right: Endpoint) -> Bool {
        let addresses = (left.address.high ^ right.address.high) | (left.address.low ^ right.address.low)
        return addresses == 0 && left.port == right.port && left.address.scope == right.address.scope
            && left.address.family == right.address.family
    }

    /// Feeds the endpoint to a hasher as whole words, the hasher's fast path.
    @inlinable
    public func hash(into hasher: inout Hasher) {
        hasher.combine(address.high)
        hasher.combine(address.low)
        hasher.combine(UInt64(address.scope) << 32 | UInt64(address.family.rawValue) << 16 | UInt64(port))
    }
}

extension Endpoint: Comparable {
    /// Orders by address, then by port.
    @inlinable
    public static func < (left: Endpoint, right: Endpoint) -> Bool {
        left.address == right.address ? left.port < right.port : left.address < right.address
    }
}

extension Endpoint: LosslessStringConvertible {
    /// Parses an endpoint as text, strictly: an IPv6 address has brackets, an IPv4 address has none.
    ///
    /// The port is 0 to 65535 in decimal, without a sign or leading zeros. No other text may come before or after.
    ///
    /// - Parameter text: `127.0.0.1:80`, `[::1]:80`, `[fe80::1%2]:80`.
    @inlinable
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        self.init(utf8: bytes.span)
    }

    /// Parses an endpoint from the bytes of its text, as strictly as from a string.
    public init?(utf8 text: Span<UInt8>) {
        if let endpoint = Self.dotted(text) {
            self = endpoint
            return
        }
        guard let colon = text.indices.last(where: { text[$0] == UInt8(ascii: ":") }) else { return nil }
        let hasBrackets = text[0] == UInt8(ascii: "[")
        var range = 0..<colon
        if hasBrackets {
            guard colon >= 2, text[colon - 1] == UInt8(ascii: "]") else { return nil }
            range = 1..<(colon - 1)
        }
        guard let address = IPAddress(utf8: text, in: range), address.isV4 != hasBrackets,
            let number = IPAddress.decimal(text, in: (colon + 1)..<text.count, digits: 5),
            let port = UInt16(exactly: number)
        else { return nil }
        self.init(address: address, port: port)
    }

    /// Parses an IPv4 address and a port in one pass, as in most lines of logs.
    private static func dotted(_ text: Span<UInt8>) -> Endpoint? {
        guard text.count <= 21 else { return nil }
        var (address, number, digits, parts): (UInt32, UInt32, Int, Int) = (0, 0, 0, 0)
        for index in text.indices {
            let digit = text[index] &- UInt8(ascii: "0")
            if digit <= 9 {
                // No number has a leading zero, or more digits than a port.
                guard digits == 0 || number > 0, digits < 5 else { return nil }
                number = number &* 10 &+ UInt32(digit)
                digits += 1
            } else {
                guard parts < 4, digits > 0, number <= 255,
                    text[index] == (parts < 3 ? UInt8(ascii: ".") : UInt8(ascii: ":"))
                else { return nil }
                address = address << 8 | number
                parts += 1
                (number, digits) = (0, 0)
            }
        }
        guard parts == 4, digits > 0, let port = UInt16(exactly: number) else { return nil }
        return Endpoint(address: IPAddress(v4: address), port: port)
    }

    /// The text, such as `127.0.0.1:80`, `[::1]:80` or `[fe80::1%2]:80`; parsing it returns the same endpoint.
    public var description: String {
        var buffer = ByteBuffer(capacity: IPAddress.longestText + 8)
        write(to: &buffer)
        return buffer.string
    }

    /// Appends the text to a buffer, without an allocation if the buffer has room.
    public func write(to buffer: inout ByteBuffer) {
        if address.isV4 {
            address.write(to: &buffer)
        } else {
            buffer.append(UInt8(ascii: "["))
            address.write(to: &buffer)
            buffer.append(UInt8(ascii: "]"))
        }
        buffer.append(UInt8(ascii: ":"))
        buffer.appendDecimal(port)
    }
}
