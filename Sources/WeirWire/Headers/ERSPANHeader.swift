/// The header of an Ethernet frame that a switch mirrors over GRE: ERSPAN type II or III.
///
/// ```
///  0 version (4 bits), VLAN (12)    2 priority (3), how tagged (2), truncated (1), session (10)
///  4 type II: index                 4 type III: time, 8 group tag, 10 flags, 12 eight bytes more if flagged
/// ```
/// Type I has no header: GRE carries it under type II's number without a sequence number.
///
/// Source: draft-foschiano-erspan-03 section 4.
public struct ERSPANHeader: Hashable, Sendable {
    /// The ERSPAN version.
    public enum Version: UInt8, Hashable, Sendable, CaseIterable {
        /// Type II, with a header of 8 bytes.
        case two = 1
        /// Type III, with a header of 12 or 20 bytes.
        case three = 2
    }

    /// The type of the header.
    public var version: Version
    /// The VLAN of the frame.
    public var vlan: UInt16
    /// The priority, tagging and truncation in the top 6 bits, and the session in the low 10.
    public var session: UInt16
    /// The port index (type II) or the timestamp of the switch (type III).
    public var word: UInt32
    /// The group tag and the flags of type III; 0 for type II.
    public var flags: UInt32
    /// The platform-specific subheader of type III, if its flag is set; otherwise 0.
    public var platform: UInt64

    /// Creates a header; `flags` and `platform` are for type III, and `platform` needs the low bit of `flags`.
    public init(
        version: Version,
        vlan: UInt16,
        session: UInt16,
        word: UInt32 = 0,
        flags: UInt32 = 0,
        platform: UInt64 = 0
    ) {
        self.version = version
        self.vlan = vlan & 0xfff
        self.session = session
        self.word = word
        self.flags = version == .two ? 0 : flags
        self.platform = version == .two || flags & 1 == 0 ? 0 : platform
    }

    private enum Layout {
        static let versionAndVLAN = HeaderNumber<UInt16>(at: 0)
        static let session = HeaderNumber<UInt16>(at: 2)
        static let word = HeaderNumber<UInt32>(at: 4)
        static let flags = HeaderNumber<UInt32>(at: 8)
        static let platform = HeaderNumber<UInt64>(at: 12)
    }
}

extension ERSPANHeader {
    /// The size of the header in bytes: 8, 12 or 20.
    public var size: Int { version == .two ? 8 : flags & 1 == 0 ? 12 : 20 }

    /// Parses the header at an offset.
    ///
    /// - Throws: `truncated`; `malformed` if the version is neither 1 nor 2.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(8, at: offset)
        let first = bytes.load(Layout.versionAndVLAN, at: offset)
        guard let version = Version(rawValue: UInt8(truncatingIfNeeded: first >> 12)) else {
            throw .malformed(.erspanVersion, at: offset)
        }
        var (flags, platform) = (UInt32(0), UInt64(0))
        if version == .three {
            try bytes.require(12, at: offset)
            flags = bytes.load(Layout.flags, at: offset)
            if flags & 1 != 0 {
                try bytes.require(20, at: offset)
                platform = bytes.load(Layout.platform, at: offset)
            }
        }
        self.init(
            version: version,
            vlan: first,
            session: bytes.load(Layout.session, at: offset),
            word: bytes.load(Layout.word, at: offset),
            flags: flags,
            platform: platform
        )
    }

    /// Appends the bytes of the header.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: size) { room in
            room.store(UInt16(version.rawValue) << 12 | vlan & 0xfff, in: Layout.versionAndVLAN)
            room.store(session, in: Layout.session)
            room.store(word, in: Layout.word)
            if version == .three { room.store(flags, in: Layout.flags) }
            if version == .three, flags & 1 != 0 { room.store(platform, in: Layout.platform) }
            return size
        }
    }
}
