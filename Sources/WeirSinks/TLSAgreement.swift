public import WeirEngine
import WeirWire

extension TerminalSink {
    /// Returns what a handshake agreed on, in the words of a flow's line: `server TLS 1.3 h2 example.com, verified (CN=R11), 12.3 ms`.
    public func text(of secured: SecuredRecord) -> String {
        var output = ByteBuffer(capacity: 128)
        append(secured, &output)
        return output.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
}
