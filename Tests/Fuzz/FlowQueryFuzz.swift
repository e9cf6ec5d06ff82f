// modules: WeirAnalysis WeirEngine
// libFuzzer: -max_len=4096 -use_value_profile=1

import WeirAnalysis

/// Reads any text as a query of flows.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    do throws(FlowQueryError) {
        let query = try FlowQuery(parsing: text)
        _ = query.needsWholeFlow
        precondition(
            query == query && (try? FlowQuery(parsing: "not (\(text))")) != nil || depth(text) > 90,
            "it nests"
        )
    } catch {
        precondition(!error.description.isEmpty, "an error has words")
    }
    return 0
}

/// Counts what may open a level: a query near the bound cannot be put into one more.
private func depth(_ text: String) -> Int { text.count { $0 == "(" || $0 == "!" || $0 == "n" } }
