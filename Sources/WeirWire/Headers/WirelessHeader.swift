/// The header of an unencrypted IEEE 802.11 data frame, as CAPWAP carries it.
///
/// ```
///  0 flags    1 subtype (4 bits), type (2), version (2)    2 duration    4, 10, 16 addresses    22 sequence
/// 24 fourth address, between two bridges    then quality of service, 2 bytes    then HT control, 4 bytes
/// ```
/// The two bytes of the frame control are swapped, as Cisco access points send them and Wireshark reads them.
///
/// Source: IEEE 802.11-2020 clause 9.2.3.
public struct WirelessHeader: Hashable, Sendable {
    /// The size of the header in bytes.
    public var size: Int
    /// Whether an LLC header follows: the frame carries one packet of data and is not protected.
    public var carriesPacket: Bool

    private static let minimumSize = 24

    /// Parses the header at an offset.
    ///
    /// - Throws: `DecodeError.truncated` if the header is incomplete.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(2, at: offset)
        let flags = bytes.load(HeaderNumber<UInt8>(at: 0), at: offset)
        let kind = bytes.load(HeaderNumber<UInt8>(at: 1), at: offset)
        // Other types have other headers, which Weir does not read.
        guard kind & 0x0f == 8 else {
            (size, carriesPacket) = (2, false)
            return
        }
        let hasQuality = kind & 0x80 != 0
        var size = Self.minimumSize
        if flags & 3 == 3 { size &+= 6 }
        let quality = size
        if hasQuality { size &+= flags & 0x80 != 0 ? 6 : 2 }
        try bytes.require(size, at: offset)
        // Several packets in one frame (A-MSDU) have headers of their own.
        let isAggregate = hasQuality && bytes.load(HeaderNumber<UInt8>(at: quality), at: offset) & 0x80 != 0
        self.size = size
        carriesPacket = kind & 0x40 == 0 && flags & 0x40 == 0 && !isAggregate
    }
}
