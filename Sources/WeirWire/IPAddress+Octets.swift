extension IPAddress {
    /// The address as 4 or 16 bytes.
    package var octets: [UInt8] {
        isV4
            ? withUnsafeBytes(of: v4.bigEndian) { Array($0) }
            : withUnsafeBytes(of: high.bigEndian) { Array($0) } + withUnsafeBytes(of: low.bigEndian) { Array($0) }
    }
}
