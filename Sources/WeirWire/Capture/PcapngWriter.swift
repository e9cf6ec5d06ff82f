/// A writer of the blocks of a pcapng capture at the end of a buffer.
///
/// Begin with a section, describe each interface, then write packets; a new section may follow at any time. The writer
/// remembers only the section's byte order and the clocks of its interfaces; the caller decides where the bytes go.
/// After each call the buffer contains only whole blocks.
///
/// Source: draft-ietf-opsawg-pcapng, version 1.0 of the format.
public struct PcapngWriter: Sendable {
    /// The byte order of numbers: that of the last section.
    public private(set) var byteOrder: ByteOrder = .host
    /// The clocks of the section's interfaces.
    var clocks: [CaptureClock] = []

    /// Creates a writer of an empty capture.
    public init() {}

    /// The number of interfaces in the section so far, which is the number of the next one.
    public var interfaceCount: Int { clocks.count }

    /// Begins a section, which has no interface yet.
    public mutating func append(_ section: CaptureSection, to buffer: inout ByteBuffer) {
        byteOrder = section.byteOrder
        clocks.removeAll(keepingCapacity: true)
        let start = buffer.openBlock(.sectionHeader, byteOrder)
        buffer.append(CaptureMagic.byteOrder, byteOrder)
        buffer.append(1 as UInt16, byteOrder)
        buffer.append(0 as UInt16, byteOrder)
        buffer.append(-1 as Int64, byteOrder)
        let options = buffer.count
        buffer.appendOption(CaptureSection.Code.hardware, section.hardware, byteOrder)
        buffer.appendOption(CaptureSection.Code.operatingSystem, section.operatingSystem, byteOrder)
        buffer.appendOption(CaptureSection.Code.application, section.application, byteOrder)
        buffer.appendOptions(comments: section.comments, others: section.others, byteOrder)
        buffer.closeOptions(options)
        buffer.closeBlock(start, byteOrder)
    }

    /// Appends the description of the section's next interface, and returns its number.
    ///
    /// - Precondition: The filter is at most 65,535 bytes.
    @discardableResult
    public mutating func append(_ interface: CaptureInterface, to buffer: inout ByteBuffer) -> UInt32 {
        typealias Code = CaptureInterface.Code
        let start = buffer.openBlock(.interfaceDescription, byteOrder)
        buffer.append(interface.linkType.rawValue, byteOrder)
        buffer.append(0 as UInt16, byteOrder)
        buffer.append(interface.snapLength, byteOrder)
        let options = buffer.count
        buffer.appendOption(Code.name, interface.name, byteOrder)
        buffer.appendOption(Code.description, interface.description, byteOrder)
        for address in interface.addresses { append(address, to: &buffer) }
        buffer.appendOption(Code.speed, interface.speed, byteOrder)
        buffer.appendOption(Code.resolution, interface.resolution?.rawValue, byteOrder)
        if let filter = interface.filter { buffer.appendOption(Code.filter, filter, byteOrder) }
        buffer.appendOption(Code.operatingSystem, interface.operatingSystem, byteOrder)
        buffer.appendOption(Code.frameCheckLength, interface.frameCheckLength, byteOrder)
        buffer.appendOption(Code.offsetSeconds, interface.offsetSeconds, byteOrder)
        buffer.appendOption(Code.hardware, interface.hardware, byteOrder)
        buffer.appendOptions(comments: interface.comments, others: interface.others, byteOrder)
        buffer.closeOptions(options)
        buffer.closeBlock(start, byteOrder)
        clocks.append(interface.clock)
        return UInt32(clocks.count - 1)
    }

    private func append(_ address: CaptureInterface.Address, to buffer: inout ByteBuffer) {
        switch address {
        case .v4(let address, let mask):
            buffer.append(CaptureInterface.Code.ipv4, byteOrder)
            buffer.append(8 as UInt16, byteOrder)
            buffer.append(address, .big)
            buffer.append(mask, .big)
        case .v6(let high, let low, let prefix):
            buffer.append(CaptureInterface.Code.ipv6, byteOrder)
            buffer.append(17 as UInt16, byteOrder)
            buffer.append(high, .big)
            buffer.append(low, .big)
            buffer.append(UInt32(prefix) << 24, .big)
        }
    }
}
