// modules: WeirEngine
// libFuzzer: -max_len=2048 -use_value_profile=1

import WeirEngine
import WeirWire

/// Reads any text as a toxic of the command line; what is read can be checked and put into a chain.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    do throws(ToxicError) {
        let toxic = try ToxicText(text)
        precondition((1...2).contains(toxic.configurations.count), "a toxic is on one direction or on both")
        for configuration in toxic.configurations {
            for transport in [Transport.tcp, .udp] { _ = try? configuration.validated(for: transport) }
            let again = try configuration.validated()
            let complete = try again.validated()
            precondition(again == complete, "what is complete stays so")
        }
    } catch {
        precondition(!error.description.isEmpty, "an error has words")
    }
    return 0
}
