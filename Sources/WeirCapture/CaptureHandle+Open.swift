#if LiveCapture
import CPcap
import Glibc
import WeirWire

extension CaptureHandle {
    /// Opens an interface, so that packets arrive.
    ///
    /// The kernel counts every packet of the interface until the filter is there. So nothing passes first, what was counted up to then
    /// is returned, and only then the filter is set.
    static func open(_ source: CaptureSource) throws(CaptureError) -> (pcap: OpaquePointer, counted: pcap_stat) {
        var words = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        guard let pcap = pcap_create(source.interface, &words) else {
            throw .failed(attempt: "open \(source.interface)", words: text(words))
        }
        do throws(CaptureError) {
            try activate(pcap, source)
            if source.interface == "lo" { ignoreOutgoing(pcap_get_selectable_fd(pcap)) }
            try closeFilter(of: pcap)
            let counted = try statistics(of: pcap, source)
            try setFilter(source.filter, of: pcap)
            guard pcap_setnonblock(pcap, 1, &words) == 0 else {
                throw .failed(attempt: "read without waiting", words: text(words))
            }
            return (pcap, counted)
        } catch {
            pcap_close(pcap)
            throw error
        }
    }

    private static func activate(_ pcap: OpaquePointer, _ source: CaptureSource) throws(CaptureError) {
        pcap_set_snaplen(pcap, Int32(clamping: source.snapLength))
        pcap_set_timeout(pcap, CaptureSource.batchTime)
        if let size = source.bufferSize { pcap_set_buffer_size(pcap, Int32(clamping: size)) }
        pcap_set_immediate_mode(pcap, source.isImmediate ? 1 : 0)
        // A kernel without nanoseconds refuses this, and times remain in microseconds.
        pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO)
        let status = pcap_activate(pcap)
        guard status >= 0 else { throw error(status, String(cString: pcap_geterr(pcap)), source.interface) }
        // `any` has a choice of headers: the longer one identifies the interface.
        if pcap_datalink(pcap) == DLT_LINUX_SLL { pcap_set_datalink(pcap, DLT_LINUX_SLL2) }
    }

    private static func error(_ status: Int32, _ detail: String, _ interface: String) -> CaptureError {
        let general = String(cString: pcap_statustostr(status))
        let words = detail.isEmpty || detail == general ? general : "\(general) (\(detail))"
        switch status {
        case PCAP_ERROR_PERM_DENIED, PCAP_ERROR_PROMISC_PERM_DENIED:
            return .noPermission(interface: interface, words: words)
        case PCAP_ERROR_NO_SUCH_DEVICE:
            let available = (try? NetworkInterface.all())?.map(\.name) ?? []
            return .noInterface(interface, available: available)
        case PCAP_ERROR:
            return .failed(attempt: "capture on \(interface)", words: detail)
        default:
            return .failed(attempt: "capture on \(interface)", words: words)
        }
    }

    /// Sets a filter that no packet passes.
    private static func closeFilter(of pcap: OpaquePointer) throws(CaptureError) {
        // Source: Linux `include/uapi/linux/bpf_common.h`: BPF_RET | BPF_K, of zero bytes.
        var refuse = bpf_insn(code: 0x06, jt: 0, jf: 0, k: 0)
        let status = withUnsafeMutablePointer(to: &refuse) { instruction in
            var program = bpf_program(bf_len: 1, bf_insns: instruction)
            return pcap_setfilter(pcap, &program)
        }
        guard status == 0 else { throw .failed(attempt: "set a filter", words: String(cString: pcap_geterr(pcap))) }
    }

    /// Returns libpcap's packet counts since an interface was opened.
    static func statistics(of pcap: OpaquePointer, _ source: CaptureSource) throws(CaptureError) -> pcap_stat {
        var counted = pcap_stat()
        guard pcap_stats(pcap, &counted) == 0 else {
            throw .failed(
                attempt: "count the packets on \(source.interface)",
                words: String(cString: pcap_geterr(pcap))
            )
        }
        return counted
    }

    private static func setFilter(_ filter: String, of pcap: OpaquePointer) throws(CaptureError) {
        var program = bpf_program()
        guard pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) == 0 else {
            throw .badFilter(filter, words: String(cString: pcap_geterr(pcap)))
        }
        defer { pcap_freecode(&program) }
        guard pcap_setfilter(pcap, &program) == 0 else {
            throw .badFilter(filter, words: String(cString: pcap_geterr(pcap)))
        }
    }

    /// Asks the kernel for only one copy of each packet.
    ///
    /// A loopback shows each packet as it leaves and as it arrives, and libpcap discards the first copy; a copy that
    /// never enters the buffer takes no room in it. A kernel before 4.20 refuses, and libpcap continues as before.
    static func ignoreOutgoing(_ descriptor: Int32) {
        var one: Int32 = 1
        setsockopt(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    static func text(_ words: [CChar]) -> String {
        String(decoding: words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Source: Linux `include/linux/socket.h`, `include/uapi/linux/if_packet.h`.
    private static let SOL_PACKET: Int32 = 263
    private static let PACKET_IGNORE_OUTGOING: Int32 = 23
}

extension LinkType {
    /// Creates a link type from libpcap's own number, which for some types differs from the number in files.
    ///
    /// Source: https://www.tcpdump.org/linktypes.html, libpcap `pcap-common.c`, `dlt_to_linktype`.
    init(dataLink: Int32) {
        switch dataLink {
        case DLT_RAW: self = .raw
        case DLT_ATM_RFC1483: self.init(rawValue: 100)
        case DLT_C_HDLC: self.init(rawValue: 104)
        default: self.init(rawValue: UInt16(truncatingIfNeeded: dataLink))
        }
    }
}
#endif
