# Writes every key of the lab's domain beside the captures.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash

export_keys() {
	rm -f "$CAPTURES/lab.keytab"
	samba-tool domain exportkeytab "$CAPTURES/lab.keytab" -s "$(dc_conf)" > /dev/null
	"$PYTHON" "$LAB/clients/export_keys.py" "$(dc_conf)" "$CAPTURES"
	cat > "$CAPTURES/lab.passwords.txt" <<-END
	$DOMAIN\\Administrator:$ADMIN_PW
	$DOMAIN\\alice:$ALICE_PW
	$DOMAIN\\Jörg:$JOERG_PW
	END
	cat > "$CAPTURES/wrong-passwords.txt" <<-END
	$DOMAIN\\Administrator:not-$ADMIN_PW
	$DOMAIN\\alice:not-$ALICE_PW
	$DOMAIN\\Jörg:not-$JOERG_PW
	END
	standalone_keys '' > "$CAPTURES/stand.passwords.txt"
	standalone_keys not- >> "$CAPTURES/wrong-passwords.txt"
	chmod 644 "$CAPTURES"/*.keytab "$CAPTURES"/lab.* "$CAPTURES"/stand.* "$CAPTURES"/wrong*
}

# What impacket's secretsdump prints of this domain. Clara, who is there only meanwhile, has a password that is kept in
# the clear; nobody else changes.
CLARA_PW='Lab-Clara-2026!'
dump_secrets() {
	local conf
	conf=$(dc_conf)
	samba-tool domain passwordsettings set -s "$conf" --store-plaintext=on > /dev/null
	samba-tool user create clara "Earlier-$CLARA_PW" -s "$conf" --use-username-as-cn > /dev/null
	"$PYTHON" "$LAB/clients/dump_secrets.py" --reversible "$conf" clara
	samba-tool user setpassword clara --newpassword="$CLARA_PW" -s "$conf" > /dev/null
	(cd "$WORK" && in_client "$PYTHON" "$LAB/clients/dump_secrets.py" -just-dc -history -user-status -pwd-last-set \
		"$DOMAIN/Administrator:$ADMIN_PW@$DC" > "$CAPTURES/lab.secretsdump-full.txt") # it leaves a file while it works
	samba-tool user delete clara -s "$conf" > /dev/null
	samba-tool domain passwordsettings set -s "$conf" --store-plaintext=off > /dev/null
	"$PYTHON" "$LAB/clients/dump_secrets.py" --lsa "$WORK/private/secrets.tdb" > "$CAPTURES/lab.secretsdump-lsa.txt"
	chmod 644 "$CAPTURES"/lab.secretsdump-*
}
