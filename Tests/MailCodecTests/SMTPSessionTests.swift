import Foundation
import SessionScripts
import Testing

@testable import MailCodec
