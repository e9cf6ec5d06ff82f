/// Holds the header that a router puts between GRE and a packet which it redirects to a web cache (WCCP version 2).
///
/// ```
///  0 flags    1 service    2 alternative bucket    3 primary bucket
/// ```
/// GRE announces it with the type 0x883e. Version 1 uses the same type and has no such header.
///
/// Source: draft-wilson-wrec-wccp-v2-01 section 4.12.
public struct WCCPHeader: Hashable, Sendable {
    /// Gives the size of the header in bytes.
    public static let size = 4

    /// Holds the flags: 1 the service is dynamic, 2 the alternative bucket is used.
    public var flags: UInt8
    /// Names the service that the packet is of.
    public var service: UInt8
    /// Names the bucket that the packet would be in otherwise.
    public var alternativeBucket: UInt8
    /// Names the bucket that the packet is in.
    public var bucket: UInt8

    /// Creates a header from its parts.
    public init(flags: UInt8, service: UInt8, alternativeBucket: UInt8, bucket: UInt8) {
        self.flags = flags
        self.service = service
        self.alternativeBucket = alternativeBucket
        self.bucket = bucket
    }

    private enum Layout {
        static let flags = HeaderNumber<UInt8>(at: 0)
        static let service = HeaderNumber<UInt8>(at: 1)
        static let alternativeBucket = HeaderNumber<UInt8>(at: 2)
        static let bucket = HeaderNumber<UInt8>(at: 3)
    }
}

extension WCCPHeader {
    /// Parses the header that begins at an offset.
    ///
    /// - Throws: `DecodeError.truncated` where there are under 4 bytes.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        self.flags = bytes.load(Layout.flags, at: offset)
        self.service = bytes.load(Layout.service, at: offset)
        self.alternativeBucket = bytes.load(Layout.alternativeBucket, at: offset)
        self.bucket = bytes.load(Layout.bucket, at: offset)
    }

    /// Appends the 4 bytes of the header.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.size) { room in
            room.store(flags, in: Layout.flags)
            room.store(service, in: Layout.service)
            room.store(alternativeBucket, in: Layout.alternativeBucket)
            room.store(bucket, in: Layout.bucket)
            return Self.size
        }
    }
}
