package import WeirWire

/// The contents of a capture file of any packets, read by the project's own readers.
package struct SeenFrames: Sendable {
    /// One packet.
    package struct Frame: Sendable {
        /// The time in nanoseconds since 1970 UTC.
        package var time: Int64
        /// The captured bytes.
        package var bytes: [UInt8]
        /// The number of bytes on the wire.
        package var originalLength: Int
        /// The source and the destination of the packet.
        package var ends: PacketEnds
        package var comments: [String]
    }

    package var frames: [Frame] = []
    package var interfaces: [CaptureInterface] = []
    package var statistics: [CaptureStatistics] = []
    package var linkType: LinkType?

    /// Reads a whole file.
    ///
    /// - Throws: An error if the file is damaged or cut.
    package init(_ file: [UInt8]) throws {
        var reader = CaptureReader()
        while let item = try reader.next(in: file.span.bytes) {
            switch item {
            case .packet(let packet):
                let bytes = Array(file[packet.range])
                linkType = packet.linkType
                frames.append(
                    Frame(
                        time: packet.timestamp ?? 0,
                        bytes: bytes,
                        originalLength: packet.originalLength,
                        ends: PacketEnds(bytes.span.bytes, packet.linkType, originalLength: packet.originalLength),
                        comments: reader.metadata(of: packet, in: file.span.bytes).options.comments
                    )
                )
            case .block(.interface(let interface)): interfaces.append(interface)
            case .block(.statistics(let statistics)): self.statistics.append(statistics)
            case .block: break
            }
        }
        try reader.finish(at: file.count)
    }

    /// Reads a file at a path.
    package init(at path: String) throws { try self.init(TemporaryFolder.read(path)) }
}
