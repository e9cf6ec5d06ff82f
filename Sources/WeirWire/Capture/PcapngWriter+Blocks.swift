extension PcapngWriter {
    /// Appends any block that a reader returned; nothing for a pcap header, which a pcapng file cannot contain.
    ///
    /// - Precondition: As for a block of its type.
    public mutating func append(_ block: CaptureBlock, to buffer: inout ByteBuffer) {
        switch block {
        case .pcapHeader: break
        case .section(let section): append(section, to: &buffer)
        case .interface(let interface): append(interface, to: &buffer)
        case .names(let names): append(names, to: &buffer)
        case .statistics(let statistics): append(statistics, to: &buffer)
        case .secrets(let secrets): append(secrets, to: &buffer)
        case .custom(let custom): append(custom, to: &buffer)
        }
    }

    /// Appends names of addresses.
    ///
    /// A name, or the list of an address's names, is cut if it would exceed a record of 65,535 bytes.
    ///
    /// - Precondition: A record of another type holds at most 65,535 bytes, and is not of type 0.
    public func append(_ names: CaptureNames, to buffer: inout ByteBuffer) {
        typealias Code = CaptureNames.Code
        let start = buffer.openBlock(.nameResolution, byteOrder)
        for record in names.records {
            switch record {
            case .address(let address, let names): append(address, names, to: &buffer)
            case .other(let type, let bytes):
                precondition(type != Code.end, "a record of type 0 ends the list")
                buffer.appendOption(type, bytes, byteOrder)
            }
        }
        buffer.append(0 as UInt32, byteOrder)
        let options = buffer.count
        buffer.appendOption(Code.server, names.server, byteOrder)
        for address in names.serverAddresses {
            buffer.append(address.isV4 ? Code.serverV4 : Code.serverV6, byteOrder)
            buffer.append(address.isV4 ? 4 : 16 as UInt16, byteOrder)
            append(address, to: &buffer)
        }
        buffer.appendOptions(comments: names.comments, others: names.others, byteOrder)
        buffer.closeOptions(options)
        buffer.closeBlock(start, byteOrder)
    }

    private func append(_ address: IPAddress, _ names: [String], to buffer: inout ByteBuffer) {
        buffer.append(address.isV4 ? CaptureNames.Code.ipv4 : CaptureNames.Code.ipv6, byteOrder)
        let place = buffer.count
        buffer.append(0 as UInt16, byteOrder)
        append(address, to: &buffer)
        var size = address.isV4 ? 4 : 16
        for name in names where size < ByteBuffer.largestOption {
            size += buffer.appendText(name, upTo: ByteBuffer.largestOption - 1 - size) + 1
            buffer.append(0)
        }
        buffer.store(UInt16(truncatingIfNeeded: size), at: place, byteOrder)
        buffer.pad(size)
    }

    private func append(_ address: IPAddress, to buffer: inout ByteBuffer) {
        if address.isV4 {
            buffer.append(address.v4, .big)
        } else {
            buffer.append(address.high, .big)
            buffer.append(address.low, .big)
        }
    }

    /// Appends the statistics of an interface.
    ///
    /// - Precondition: The interface was described in this section.
    public func append(_ statistics: CaptureStatistics, to buffer: inout ByteBuffer) {
        typealias Code = CaptureStatistics.Code
        precondition(statistics.interface < clocks.count, "an interface is described before what it counted")
        let clock = clocks[Int(statistics.interface)]
        let start = buffer.openBlock(.interfaceStatistics, byteOrder)
        buffer.append(statistics.interface, byteOrder)
        append(units: clock.units(statistics.timestamp), to: &buffer)
        let options = buffer.count
        for (code, time) in [(Code.start, statistics.start), (Code.end, statistics.end)] {
            guard let time else { continue }
            buffer.append(code, byteOrder)
            buffer.append(8 as UInt16, byteOrder)
            append(units: clock.units(time), to: &buffer)
        }
        buffer.appendOption(Code.received, statistics.received, byteOrder)
        buffer.appendOption(Code.droppedByInterface, statistics.droppedByInterface, byteOrder)
        buffer.appendOption(Code.accepted, statistics.accepted, byteOrder)
        buffer.appendOption(Code.droppedBySystem, statistics.droppedBySystem, byteOrder)
        buffer.appendOption(Code.delivered, statistics.delivered, byteOrder)
        buffer.appendOptions(comments: statistics.comments, others: statistics.others, byteOrder)
        buffer.closeOptions(options)
        buffer.closeBlock(start, byteOrder)
    }

    private func append(units: UInt64, to buffer: inout ByteBuffer) {
        buffer.append(UInt32(truncatingIfNeeded: units >> 32), byteOrder)
        buffer.append(UInt32(truncatingIfNeeded: units), byteOrder)
    }

    /// Appends secrets; readers need them before the packets that they decrypt.
    ///
    /// - Precondition: The secrets are less than 16 MiB.
    public func append(_ secrets: CaptureSecrets, to buffer: inout ByteBuffer) {
        precondition(secrets.bytes.count < 16 << 20, "secrets are less than 16 MiB")
        let start = buffer.openBlock(.decryptionSecrets, byteOrder)
        buffer.append(secrets.format.rawValue, byteOrder)
        buffer.append(UInt32(secrets.bytes.count), byteOrder)
        buffer.append(secrets.bytes.span.bytes)
        buffer.pad(secrets.bytes.count)
        let options = buffer.count
        buffer.appendOptions(comments: secrets.comments, others: secrets.others, byteOrder)
        buffer.closeOptions(options)
        buffer.closeBlock(start, byteOrder)
    }

    /// Appends a custom block; some readers show it as a packet.
    ///
    /// - Precondition: The bytes are less than 16 MiB.
    public func append(_ custom: CustomBlock, to buffer: inout ByteBuffer) {
        precondition(custom.bytes.count < 16 << 20, "a custom block is less than 16 MiB")
        let start = buffer.openBlock(custom.isCopyable ? .custom : .localCustom, byteOrder)
        buffer.append(custom.enterprise, byteOrder)
        buffer.append(custom.bytes.span.bytes)
        buffer.pad(custom.bytes.count)
        buffer.closeBlock(start, byteOrder)
    }
}
