/// The header that a router puts between GRE and a packet that it redirects to a web cache (WCCP version 2).
///
/// ```
///  0 flags    1 service    2 alternative bucket    3 primary bucket
/// ```
/// It follows GRE's protocol type 0x883e. Version 1 uses the same type and has no such header.
///
/// Source: draft-wilson-wrec-wccp-v2-01 section 4.12.
public struct WCCPHeader: Hashable, Sendable {
    /// The size of the header in bytes.
    public static let size = 4

    /// The flags: 1 the service is dynamic, 2 the alternative bucket is used.
    public var flags: UInt8
    /// The service that the packet belongs to.
    public var service: UInt8
    /// The bucket that the packet would otherwise be assigned to.
    public var alternativeBucket: UInt8
    /// The bucket that the packet is assigned to.
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
    /// Parses the header at an offset.
    ///
    /// - Throws: `DecodeError.truncated` if there are fewer than 4 bytes.
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
