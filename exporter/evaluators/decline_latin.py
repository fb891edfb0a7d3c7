"""How assistants decline in languages of Latin script; `decline_phrases` says how the patterns are written."""

from .decline_phrases import Phrases
from .languages import Language

_NOT_DE = "(?:nicht|nichts|keine?[nrsm]?)"
_MODAL_DE = "(?:kann|können|könnte|darf|dürfen|werde|werden|möchte|möchten|will)"

LATIN: dict[Language, Phrases] = {
    "en": Phrases(
        outright=(
            r" (?:must|have to|need to|will have to|am going to)(?: \w+ly)? (?:decline|refuse|say no|pass on) "
            r"| i(?: \w+ly)? (?:decline|refuse)(?: to|\.| $)"
            r"| (?:request|question|prompt|query|message) (?:cannot|can't|could not|couldn't|can not|is unable to) be "
            r"(?:fulfilled|processed|completed|answered|handled|served|satisfied|accommodated) "
            r"| (?:isn't|is not|not) possible (?:for (?:me|us) to (?:help|assist|answer|discuss|provide|share|comply|do|respond|fulfil|fulfill|"
            r"offer|talk)|to (?:help|assist|answer|discuss|provide|share|do|offer|fulfil|fulfill|comply with) (?:that|this|these|those|such|you|your|any|with)) "
            r"| (?:outside|beyond|out of|not within|falls? outside)(?: of)? (?:(?:the|my|our|this) (?:\w+ ){0,3}|my|\w+al )?"
            r"(?:scope|remit|purview|expertise|area|responsibilities|capabilities|abilities|knowledge|wheelhouse)"
            r"(?: of (?:what (?:i|we)|this (?:assistant|chat|bot|service)|my|our)| $| ,| and | so | as | for (?:me|us))"
            r"| beyond what (?:i|we) (?:can|do|am|are) | outside (?:of )?what (?:i|we) (?:can|do|am|are) "
            r"| (?:i|we)(?:'m| am|'re| are| was| were|'ve been)(?: \w+ly)? not (?:\w+ly )?(?:permitted|allowed|authori[sz]ed|"
            r"equipped|designed|built|meant|intended|trained|programmed|qualified|able|set up|willing|prepared|"
            r"comfortable|in a position|here|supposed|licensed) (?:to|for|with|in|on) "
            r"| (?:i|we)(?:'m| am|'re| are) (?:prohibited|forbidden|barred|prevented|restricted) from "
            r"| (?:i|we) (?:wasn't|weren't|aren't) (?:designed|built|meant|intended|trained|programmed|made|allowed) (?:to|for) "
            r"| (?:i'm|i am|we're|we are|i was|this (?:assistant|bot|chat|service) is) only (?:here|able|allowed|designed|"
            r"meant|permitted|trained|built|set up) (?:to|for) "
            r"| (?:i|we) can only (?:help|assist|answer|discuss|talk|support|respond)… "
            r"| not (?:something|a topic|a subject|a question|an area) (?:that |which )?(?:i|we)(?:'ll| will| can|'m| am|"
            r"'re| are|'d| would| could)(?: be)? "
            r"| isn't (?:something|a topic|a subject) (?:that |which )?(?:i|we) (?:can|will|could|am|are|would) "
            r"| (?:i'd|i would|we'd) (?:rather|prefer) not(?: to)? "
            r"| (?:guidelines|policies|policy|rules|instructions|programming|principles|training) (?:don't|do not|doesn't|does not|"
            r"prevent|prohibit|forbid|won't|will not|stop|bar)s?… (?:me|us) "
            r"| (?:against|violates?|goes against|conflicts? with|contrary to) (?:my|our) (?:\w+ ){0,3}(?:guidelines|"
            r"polic\w+|rules|principles|programming|terms|values) "
            r"| (?:blocked|filtered|flagged|withheld|stopped|rejected|removed) (?:because|by|due to|as|for|after) (?:[^ ,]+ "
            r"){0,7}(?:content|safety|guardrails?|filter\w*|moderation|polic\w+|guidelines|responsible ai) "
            r"| (?:content|safety|moderation) (?:filter\w*|guardrails?|polic\w+|system) (?:has |have |was |were )?(?:"
            r"blocked|triggered|removed|stopped|filtered|flagged) "
            r"| triggering (?:[^ ,]+ ){0,4}content management policy | may violate our (?:usage|content) polic\w+ "
            r"| matched public code so it was blocked | response blocked | output blocked "
            r"| (?:isn't|is not|'s not) (?:within |in |part of )(?:my|our) (?:\w+ ){0,3}(?:expertise|scope|remit|abilities|"
            r"capabilities|area|role|purview) | off[- ]limits (?:for|to) (?:me|us) | (?:don't|do not|wouldn't) feel comfortable "
            r"| (?:i'm|i am|we're|we are) (?:unauthori[sz]ed|unqualified|ill[- ]equipped|obliged to (?:refuse|decline)) "
            r"| (?:we|i) (?:do not|don't) (?:support|answer|handle|discuss|cover|comment on|engage in|engage with|offer|give|"
            r"provide) (?:that|this|such|questions|topics|requests|conversations|advice|\w+ advice) "
            r"| (?:my|our) (?:purpose|role|function|job|knowledge|focus|scope) is (?:limited|restricted) to "
            r"| (?:i'll|i will|i'd) (?:refrain|abstain) from | decline to (?:answer|comment|discuss|respond|help|assist)(?: that| it)? $"
            r"| not (?:in|part of) my (?:job|role|remit|mandate)(?: description)? | (?:my|our) (?:role|job|task|remit) is "
            r"(?:confined|limited|restricted) | (?:this|the) (?:assistant|bot|chat|service) (?:does not|doesn't|cannot|can't|won't|"
            r"will not) (?:discuss|answer|talk|comment|engage|provide|help|assist|support) | prefer to (?:steer clear|stay away|"
            r"stay out|avoid|skip) | (?:policy|policies) ,? we (?:do not|don't|cannot|can't) | (?:i|we) only (?:handle|answer|deal "
            r"with|discuss|cover|help with|support) | (?:i|we)(?:'d| would|'ll| will) (?:have to |need to )?(?:stop|draw the line) "
            r"|^ sorry ,? no $|^ no ,? (?:sorry|i won't|i will not|i can't|i cannot)… $"
            r"|^(?: sorry ,?| i'm sorry ,?| apologies ,?)? (?:the|this) (?:model|assistant) (?:cannot|can't|is unable to) answer "
        ),
        cannot=(
            r" (?:i|we)(?: am| are|'m|'re)? (?:\w+ly )?(?:cannot|can't|can not|couldn't|could not|won't|will not|unable to|"
            r"not able to|not going to) | and (?:\w+ly )?(?:cannot|can't|am unable to|am not able to) "
            r"| (?:unable|not able|not willing|unwilling) to "
        ),
        serves=(
            r" (?:help|assist|assistance|comply|answer|respond to|engage|participate|accommodate|fulfil|fulfill|oblige)"
            r"(?: \w+)? (?:that|this|it|you|with|in|such|these|those|any|your|$)"
            r"| (?:provide|offer|give|share|disclose|reveal|discuss|generate|create|produce|write|talk about|comment on|"
            r"speak|advise)(?: you| with){0,2} (?:that|this|it|such|these|those|instructions|information|medical|legal|"
            r"financial|any|details|an opinion|opinions|advice|guidance|content|personal|on|about|to) "
            r"| do (?:that|this|it|so) | (?:take part|take sides|have opinions) "
        ),
        sorry=r" (?:sorry|apologi[sz]e|apologies|afraid|regret|unfortunately|regrettably|forgive me) ",
        hedged=(
            r" (?:cannot|can't|can not|couldn't|won't be able to|unable to|not able to) (?:\w+ )?(?:say|tell|know|be|"
            r"determine|confirm|see|pinpoint|give|guarantee|promise)(?: you| an?)? (?:exact(?:ly)?|precise(?:ly)?|for sure|"
            r"for certain|with certainty|certain|sure|definitive(?:ly)?|definite(?:ly)?|whether|which|100) "
            r"| (?:help but|wait to|(?:recommend|thank|stress|emphasi[sz]e)… enough) "
        ),
        helps=(
            r" (?:but|however|though|still|yet|that said)(?: ,)?… (?:likely|probabl[ey]|usual(?:ly)?|common(?:ly)?|"
            r"typical(?:ly)?|generally|possible causes?|often|here (?:is|are)) |^ (?:the )?(?:most )?(?:likely|probable|"
            r"common|possible) (?:cause|reason|explanation)s?"
        ),
        absent=r"^$x",
    ),
    "de": Phrases(
        outright=(
            r" (?:muss|müssen|werde|werden|möchte) (?:ich|wir)… (?:ablehnen|zurückweisen) | ablehnen (?:muss|müssen) "
            r"| lehne ich… ab | ich lehne… ab | ich weigere mich | verweigere ich | wir weigern uns "
            r"| (?:ich bin|bin ich|wir sind|sind wir)… nicht (?:in der lage|befugt|berechtigt|autorisiert|befähigt|"
            r"qualifiziert|imstande|dafür|dazu|darauf|zuständig|bereit) "
            r"| (?:verstößt|verstoßen|widerspricht)… (?:meine|unsere|meinen|unseren|die) (?:[^ ,]+ ){0,2}(?:richtlinien|"
            r"regeln|vorgaben|grundsätze\S*|prinzipien|\S*bedingungen|inhaltsrichtlinien) "
            r"| (?:außerhalb|ausserhalb|jenseits) (?:meine|unsere)[srm]? | übersteigt meine "
            r"| (?:anfrage|bitte|frage|anliegen|wunsch|aufgabe) kann… nicht (?:bearbeitet|beantwortet|erfüllt|ausgeführt|"
            r"verarbeitet) | mir… nicht (?:möglich|gestattet|erlaubt) | (?:ist|wäre) es mir nicht "
            r"| ich (?:kann|bin|beantworte|darf|helfe)(?: [^ ,]+){0,2} (?:nur|ausschließlich|lediglich)… (?:fragen|anfragen|"
            r"themen|zuständig|helfen|beantworten) | (?:dazu|darüber|hierzu) (?:möchte|kann|werde|darf|will) ich… nichts? "
            r"| (?:dabei|da|damit|hierbei|das|dies) (?:kann|darf|werde|könnte|können|dürfen) (?:ich|wir)… nicht "
            r"(?:weiter|be)?(?:helfen|hilflich|tun|machen|unterstützen|sagen|beantworten|$)"
            r"| (?:richtlinien|regeln|vorgaben|vorschriften|bestimmungen)… (?:erlauben|gestatten|verbieten|untersagen|lassen)… "
            r"| (?:nicht|kaum) (?:in|unter) (?:meine[nmr]?|unsere[nmr]?) (?:zuständigkeit|kompetenz\S*|aufgabe\S*|bereich|verantwortung) "
            r"| nicht (?:meine|unsere) aufgabe | (?:meine|unsere) (?:aufgabe|rolle|funktion|zuständigkeit) (?:beschränkt|ist)… "
            r"(?:beschränkt|auf|begrenzt) | ich (?:gebe|erteile|beantworte|kommentiere|diskutiere|spreche|äußere)(?: mich)?… (?:keine\S*|"
            r"nicht) | ich keine (?:auskunft|auskünfte|angaben|aussagen) (?:gebe|mache|erteile) | nichts ,? (?:wobei|womit|wozu) ich "
            r"| unter die arme greifen |^ nein ,… (?:mache|tue|werde|helfe|kann|schreibe|sage|darf) ich… (?:nicht|nichts) | enthalte ich mich | ich enthalte mich | außerstande | (?:ist|sind)… (?:untersagt|"
            r"verboten|tabu) (?:, )?(?:darüber|dazu|$)| (?:anfrage|inhalt|antwort) wurde… (?:blockiert|gefiltert) "
            r"| (?:antwort|inhalt|anfrage|eingabe) wurde… (?:blockiert|gefiltert|herausgefiltert) | hilfe… verweigern "
        ),
        cannot=rf" {_MODAL_DE} (?:ich|wir)… {_NOT_DE} | (?:ich|wir) {_MODAL_DE}… {_NOT_DE} | ich {_NOT_DE}… (?:kann|darf) | und (?:kann|darf) (?:[^ ,]+ )?{_NOT_DE} ",
        serves=(
            r" (?:weiter|aus|be)?(?:helfen|hilflich) | (?:unterstütz|beantwort|antwort|auskunft|auskünfte|bereitstell|"
            r"informationen|anbieten|weitergeben|geben|nennen|verraten|teilen|erstell|verfass|schreib|generier|erfüll|"
            r"bearbeit|nachkomm|mitteilen|tun |machen |sagen |äußern|sprechen|reden|diskutier|berat|rechtsberat|bewert|"
            r"kommentier|erklär|ausführ|durchführ|eingehen|leisten|preisgeb|offenleg|entsprechen|erzeug|produzier|meinung|empfehl|stellung|unterhalten|besprech|heraus(?:geben|zugeben)|angaben|aussagen|anleitung)"
            r"| zur verfügung "
        ),
        sorry=r" (?:als (?:ki|sprachmodell|assistent)\S*|sprachmodell|ki-\S+|aus (?:sicherheits|datenschutz|rechtlichen|ethischen)\S*|tut mir leid|leider|entschuldig\S*|bedaure|bedauere|bedauerlicherweise|sorry|verzeihung|es tut uns leid) ",
        hedged=(
            r" nicht (?:[^ ,]+ )?(?:genau|sicher|exakt|eindeutig|abschließend|mit sicherheit|mit bestimmtheit|genug|umhin|"
            r"hoch genug) | nicht anders als "
        ),
        helps=r" (?:aber|jedoch|allerdings|doch)… (?:wahrscheinlich|vermutlich|meist|meistens|üblicherweise|häufig|hier) | wahrscheinlich(?:ste|e|er|sten)? ",
        absent=(
            r" (?:kontext|dokument\S*|unterlagen|quellen?|texten?|artikeln?|informationen|wissensdatenbank)… (?:nicht|nichts|"
            r"keine?\S*)… (?:enthalten|erwähnt|genannt|finden|angegeben|hervor|beschrieben|gefunden|beantworten) "
            r"| (?:kontext|dokument\S*|unterlagen|quellen?|text|artikel) (?:enthält|enthalten|erwähnt|erwähnen|nennt|nennen)… "
            r"(?:nicht|nichts|keine?\S*) | (?:nicht genügend|nicht genug|keine ausreichenden|unzureichende|keine) "
            r"(?:[^ ,]+ )?(?:informationen|angaben|daten)… (?:gefunden|verfügbar|vorhanden|finden|beantworten|vor) "
        ),
    ),
    "fr": Phrases(
        outright=(
            r" je (?:dois|devrai|suis obligée? de|suis contrainte? de|me vois contrainte? de)… (?:refuser|décliner) "
            r"| je (?:refuse|décline) | (?:demande|question|requête) ne (?:peut|peuvent|pourra) (?:pas )?(?:être )?(?:traitée|"
            r"satisfaite|aboutir|acceptée|exécutée) | ne (?:peut|pourra) (?:pas )?être (?:traitée|satisfaite|exécutée) "
            r"| (?:dépasse|sort d[eu]|hors d[eu]|en dehors d[eu])… (?:cadre|mes|nos|mon|champ|périmètre|compétences?) "
            r"| je ne (?:suis|serai|fus) (?:pas|point) (?:[^ ,]+ )?(?:autorisée?|habilitée?|en mesure|capable|conçue?|"
            r"programmée?|qualifiée?|apte|équipée?|là pour|destinée?) | nous ne sommes pas (?:autorisés|habilités|en mesure) "
            r"| (?:va|vont|est) (?:à l'encontre|contraire)… (?:mes|nos|règles|principes|directives|politique|consignes) "
            r"| (?:enfreint|viole|contrevient à) (?:mes|nos|les) | il (?:m'est|nous est) (?:[^ ,]+ )?(?:impossible|interdit) "
            r"| il ne m'est pas (?:possible|permis) | je préfère(?:rais)? ne pas | je n'ai pas (?:le droit|l'autorisation|"
            r"la permission|la capacité|la possibilité) | je ne (?:réponds|traite|peux répondre|peux aider) qu' ?"
            r"| je ne peux (?:vous )?(?:répondre|aider|assister|parler)… (?:qu'|que ) | je suis uniquement "
            r"| (?:règles|directives|consignes|politique|principes)… (?:ne me|m'interdi|ne m'|m'empêch)\S* | dans l'incapacité "
            r"| (?:m'abst\S+|m'abstenir) | n'est pas (?:un sujet|quelque chose|une question)… je (?:peux|puisse|suis|souhaite) "
            r"| (?:ne relève|n'est|ne sont|n'entre|ne fait)(?: pas)?… (?:de|dans) (?:mes|mon|ma|nos) (?:compétences?|ressort|rôle|domaine|"
            r"attributions?|mission|fonctions) | n'ai pas (?:vocation|pour (?:rôle|mission)) | (?:mon|ma) (?:rôle|mission|fonction) (?:se "
            r"limite|est limitée?|consiste uniquement) | dans l'impossibilité | je ne (?:commente|discute|traite|donne|fournis|parle|"
            r"réponds)(?: [^ ,]+)? ?pas |^ non ,… je (?:ne [^ ,]+|n'[^ ,]+) pas | (?:m'est|m'a été) (?:interdit|défendu) | incapable de "
            r"| (?:bloquée?|filtrée?) par (?:[^ ,]+ )*(?:filtres?|politique|modération) "
            r"| (?:désolée?|regrette) de ne (?:pas )?pouvoir | je (?:ne )?me permettrai pas "
        ),
        cannot=(
            r" (?:je|nous) ne (?:peux|pouvons|saurais|saurions|pourrai|pourrais|pourrons|puis|vais|ferai|dois|souhaite|veux)"
            r"(?: [^ ,]+)? ?(?:pas|point|plus)? | je n'(?:écrirai|aiderai|irai) pas | je ne (?:[^ ,]+rai) pas "
        ),
        serves=(
            r" (?:(?:de |des |aucune )?recommandations?|recommander|répondre|aider|vous aider|t'aider|l'aider|assister|vous assister|fournir|donner|accéder|faire (?:ça|cela|"
            r"ceci)|partager|communiquer|divulguer|révéler|écrire|rédiger|rédigerai|écrirai|créer|générer|produire|discuter|"
            r"parler de|aborder|exécuter|traiter|satisfaire|renseigner|vous renseigner|conseiller|commenter|proposer|"
            r"participer|accomplir|offrir|soutenir|expliquer) | l'aider| d'aide "
        ),
        sorry=r" (?:en tant qu\S*|modèle de langage|pour des raisons (?:de|d'|légales|éthiques)\S*|désolée?|malheureusement|regrette|excuses|excusez|pardon|navrée?|hélas) ",
        hedged=(
            r" (?:dire|savoir|affirmer|déterminer|garantir)(?: [^ ,]+)? (?:exactement|avec certitude|précisément|à coup sûr|"
            r"avec exactitude) | ne peux (?:pas )?(?:que|m'empêcher|qu'[^ ,]+) | vous remercier (?:assez|suffisamment) "
        ),
        helps=r" (?:mais|cependant|toutefois)… (?:probablement|généralement|en général|voici|souvent|habituellement) | le plus probable | causes? (?:probables?|possibles?) ",
        absent=(
            r" (?:contexte|documents?|sources?|textes?|articles?|passages?|informations fournies)… (?:ne |n')(?:me |nous |vous |en )?"
            r"(?:contien|mentionn|indiqu|précis|fourni|permet|inclu|parl|dit|dis|donn|abord|trait|évoqu|répond|comport|suffi|fait|font|figur)\S* (?:pas|aucune?|rien) | (?:ne|n')(?: ?[^ ,]+){1,3} (?:pas|aucune?|rien)… (?:dans|par) (?:le|les|ces|ce|mes|vos) "
            r"(?:contexte|documents?|sources?|textes?|articles?|passages?) "
            r"| (?:pas (?:assez|suffisamment) d'|pas trouvé d'|aucune |pas d')informations? "
        ),
    ),
    "es": Phrases(
        outright=(
            r" (?:debo|tengo que|tendré que|he de|me veo obligad[oa] a) (?:negarme|rechazar|declinar|rehusar) "
            r"| me niego (?:a|rotundamente) | (?:rechazo|declino) (?:esta|esa|la|tu|su|participar|hacer) "
            r"| (?:solicitud|petición|consulta|pregunta) no (?:se )?(?:puede|pudo|podrá) (?:ser )?(?:procesar|atender|"
            r"completar|procesada|atendida|completada|respondida|responder) "
            r"| (?:fuera de|más allá de|excede|sobrepasa)… (?:mi|mis|nuestr[oa]|ámbito|alcance|competencias?|funciones) "
            r"| no (?:estoy|estamos|fui|soy|he sido) (?:[^ ,]+ )?(?:autorizad[oa]s?|capacitad[oa]|diseñad[oa]|programad[oa]|"
            r"cualificad[oa]|preparad[oa]|en condiciones|en posición|capaz|capaces|facultad[oa]|habilitad[oa]|"
            r"entrenad[oa]|dispuest[oa]) "
            r"| (?:va|van|está|es) (?:en contra|contrari[oa])… (?:mis|nuestras|normas|políticas|directrices|principios) "
            r"| (?:infringe|viola|incumple) (?:mis|nuestras|las) | no me es(?:tá)? (?:posible|permitido) | me es imposible "
            r"| no (?:tengo|tenemos) (?:permitido|permiso|autorización|la capacidad|derecho) | prefiero no "
            r"| (?:políticas|normas|directrices|reglas|pautas|principios)… (?:no me permiten|me impiden|me prohíben|no permiten|"
            r"prohíben) "
            r"| no (?:me corresponde|me compete|es de mi (?:competencia|incumbencia)|entra (?:en|dentro de) mis?|forma parte de mis?) | mi "
            r"(?:función|papel|tarea|labor) (?:se limita|está limitad[oa]|es solo) | no es algo (?:en lo que|con lo que|que) (?:yo )?(?:pueda|"
            r"puedo) | (?:yo )?no (?:comento|opino|discuto|doy|ofrezco|hablo|trato|respondo)(?: [^ ,]+){0,2} (?:sobre|de|temas?|consejos?|"
            r"preguntas?|opiniones) |^ no ,… no (?:[^ ,]+ré|haré|pienso|voy|puedo) | me abst\S+ | (?:está|están) prohibid[oa]s?… (?:hablar|compartir) "
            r"| me está prohibido | no me (?:está|es) permitido | (?:solo|sólo|únicamente|solamente) (?:puedo|podemos|respondo|estoy)… (?:preguntas|consultas|temas|ayudar|"
            r"responder|para) | siento no poder | lamento no poder | (?:bloqueada|filtrada|bloqueado) por… (?:filtro|"
            r"política|moderación|seguridad)\S* "
        ),
        cannot=(
            r" no (?:te |le |les |os |me |se |lo )?(?:puedo|podemos|podré|podría|podremos|pude|voy a|vamos a|quiero|debo) "
            r"| no (?:[^ ,]+(?:ré|é)) | me temo que no | no (?:logro|consigo) "
        ),
        serves=(
            r" (?:recomendar\S*|responder|contestar|ayudar\S*|asistir\S*|proporcionar\S*|dar\S*|ofrecer\S*|atender\S*|hacer (?:eso|esto)|"
            r"hacerlo|compartir\S*|revelar\S*|escribir\S*|redactar\S*|crear\S*|generar\S*|hablar|comentar|discutir|"
            r"cumplir|realizar\S*|facilitar\S*|brindar\S*|procesar\S*|completar\S*|opinar|participar|divulgar|"
            r"escribiré|redactaré|ayudaré|explicar\S*|acceder a (?:esa|esta|su|tu)) "
        ),
        sorry=r" (?:como (?:modelo|asistente|ia|inteligencia)|modelo de lenguaje|por (?:motivos|razones|políticas?)|lo siento|siento|lamentablemente|lamento|disculpa\S*|perdón|perdona\S*|desafortunadamente) ",
        hedged=(
            r" (?:decir\S*|saber|afirmar|asegurar\S*|determinar) (?:con (?:exactitud|certeza|seguridad|precisión)|exactamente|a "
            r"ciencia cierta) | no (?:puedo|podemos) (?:dejar de|evitar|menos que|más que) | (?:agradecer\S*|recomendar\S*) "
            r"(?:lo )?(?:suficiente|bastante) "
        ),
        helps=r" (?:pero|sin embargo|aunque)… (?:probable\S*|normalmente|generalmente|aquí (?:tienes|tiene|están|hay)|suele\S*|habitualmente) | causas? (?:probables?|posibles?) ",
        absent=(
            r" (?:contexto|documentos?|fuentes?|textos?|artículos?|pasajes?|información proporcionada)… no (?:se )?(?:[^ ,]+ )?"
            r"(?:contiene\S*|menciona\S*|incluye\S*|indica\S*|especifica\S*|dice\S*|aparece\S*|proporciona\S*) "
            r"| no (?:se )?(?:[^ ,]+ ){0,3}(?:en|por) (?:el|los|las|la|estos|mis) (?:contexto|documentos?|fuentes?|textos?|artículos?) "
            r"| no (?:hay|tengo|encontré|encuentro|dispongo de|he encontrado) (?:[^ ,]+ )?(?:suficiente |)información "
        ),
    ),
    "it": Phrases(
        outright=(
            r" (?:devo|sono costrett[oa] a|dovrò) (?:rifiutar\S*|declinare|respingere) | mi rifiuto | (?:rifiuto|declino) (?:di|"
            r"questa|la) | richiesta non (?:può|potrà) essere (?:elaborata|soddisfatta|accolta|evasa|completata) "
            r"| (?:esula|fuori|al di fuori|oltre|va oltre)… (?:mie|mio|mia|miei|nostr\S|ambito|competenze|portata) "
            r"| non (?:sono|siamo|ero) (?:stat[oa] )?(?:[^ ,]+ )?(?:autorizzat[oai]|progettat[oa]|programmat[oa]|"
            r"abilitat[oai]|in grado|qualificat[oa]|addestrat[oa]|capac[ei]|dispost[oa]|pensat[oa]) "
            r"| (?:va|vanno|è) (?:contro|contrari[oa])… (?:mie|nostre|linee|regole|politiche|princ\S+|norme) "
            r"| viola (?:le|i) (?:mie|miei|nostre) | non mi è (?:possibile|consentito|permesso|concesso) | mi è impossibile "
            r"| (?:linee guida|regole|norme|politiche|principi|direttive)… (?:non mi (?:consent|permett)|mi (?:imped|viet))\S+ "
            r"| non (?:rientra|rientrano|fa parte|è)… (?:mie|mia|mio|nostr\S) (?:competenz\S|compit\S|ruol\S|ambito|funzion\S) | non (?:mi "
            r"compete|spetta a me|sono qui per) | (?:mio|mia) (?:ruolo|compito|funzione) (?:si limita|è limitat[oa]) | non è (?:qualcosa|una cosa) "
            r"(?:in cui|con cui|che) | (?:questo )?va oltre (?:quello|ciò) che | non (?:commento|discuto|fornisco|parlo di|rispondo a|do) "
            r"|^ no ,… non (?:lo |la |ti |le )?(?:[^ ,]+rò|posso|voglio) | sono (?:impossibilitat[oa]|impossibilitati) | non sono (?:in condizione|nella posizione) | mi astengo "
            r"| mi è vietato | temo di non | preferisco non | preferirei non | (?:posso|possiamo) (?:rispondere |aiutar\S* )?(?:solo|soltanto|solamente|"
            r"unicamente|esclusivamente)… | (?:di|per) non poter(?:ti|la|vi|le)? | non ho (?:il permesso|l'autorizzazione|"
            r"la possibilità di (?:aiutar|risponder|fornir)\S*) | (?:bloccat[oa]|filtrat[oa]) (?:da|dai|dal|dalla)… (?:filtr[oi]|sicurezza|contenut[oi]) "
        ),
        cannot=r" non (?:ti |la |le |vi |lo )?(?:posso|possiamo|potrò|potrei|potremo|voglio|riesco a|intendo|devo) | non (?:[^ ,]+r[òo]|[^ ,]+remo) ",
        serves=(
            r" (?:rispondere|risponder\S*|comunicar\S*|esprimer\S*|aiutar\S*|assister\S*|fornir\S*|dare|dar\S*|offrir\S*|soddisfare|far(?:lo|e questo|e ciò)|"
            r"condividere|rivelare|divulgare|scriver\S*|scriverò|creare|generare|parlare|discutere|commentare|eseguire|"
            r"elaborare|esaudire|proporre|partecipare|consigliare|aiuterò|redigere|spiegare|procedere|completare) "
        ),
        sorry=r" (?:come (?:modello|assistente|ia)|in quanto (?:modello|assistente|ia)|modello linguistico|per (?:motivi|ragioni)|mi dispiace|dispiace|spiacente|purtroppo|scusa\S*|scusi|perdona\S*|mi spiace|sono desolat[oa]) ",
        hedged=(
            r" (?:dir\S*|sapere|affermare|stabilire|garantire) (?:con (?:esattezza|certezza|sicurezza|precisione)|esattamente|"
            r"di preciso) | non posso (?:fare a meno|che|non) | (?:ringraziar\S*|raccomandar\S*) abbastanza "
        ),
        helps=r" (?:ma|però|tuttavia)… (?:probabil\S*|di solito|in genere|ecco|normalmente|spesso) | cause? (?:probabil\S*|possibil\S*) ",
        absent=(
            r" (?:contesto|documenti?|documento|font[ei]|test[oi]|articol[oi]|informazioni fornite)… non (?:[^ ,]+ )?(?:contien\S*|"
            r"conteng\S*|menzion\S*|includ\S*|indic\S*|specific\S*|riport\S*) | non (?:[^ ,]+ ){0,3}(?:nel|nei|nelle|dal|dai) "
            r"(?:contesto|documenti?|documento|fonti|testo|articol[oi]) | non (?:ci sono|ho trovato|ho|dispongo di) "
            r"(?:[^ ,]+ )?informazioni "
        ),
    ),
    "pt": Phrases(
        outright=(
            r" (?:devo|tenho (?:de|que)|terei (?:de|que)|preciso) (?:recusar\S*|declinar|rejeitar|negar\S*) | recuso[ -]me | me "
            r"recuso | (?:recuso|declino) (?:esse|este|o|a|participar) | (?:pedido|solicitação|pergunta|questão) não (?:pode|"
            r"pôde|poderá) ser (?:processad[oa]|atendid[oa]|respondid[oa]|concluíd[oa]) "
            r"| (?:fora d[oae]s?|além d[oae]s?|ultrapassa|excede)… (?:meu|minha|meus|minhas|nosso|âmbito|escopo|alcance|"
            r"competências?) | não (?:estou|estamos|fui|sou) (?:[^ ,]+ )?(?:autorizad[oa]s?|projetad[oa]|projectad[oa]|"
            r"programad[oa]|concebid[oa]|capacitad[oa]|habilitad[oa]|qualificad[oa]|capaz|em condições|treinad[oa]|"
            r"feit[oa]|dispost[oa]|apt[oa]) "
            r"| (?:vai|vão|é) (?:contra|contrári[oa])… (?:minhas|nossas|diretrizes|políticas|regras|princípios|normas) "
            r"| (?:diretrizes|políticas|regras|normas|princípios)… (?:não me permit|me imped|impedem-me|proíb|não permit)\S* "
            r"| não (?:me compete|é d[ae] minha (?:competência|alçada|responsabilidade)|faz parte d[ao]s? (?:meu|minha|meus|minhas)|cabe a mim|me cabe) "
            r"| (?:meu|minha) (?:função|papel|tarefa) (?:limita-se|se limita|é limitad[oa]|está limitad[oa]) | não é algo (?:em que|com que|que)… "
            r"(?:posso|possa) | não (?:comento|discuto|dou|opino|falo|respondo|ofereço|trato)(?: [^ ,]+){0,2} (?:sobre|de|temas?|conselhos?|"
            r"perguntas?|opiniões) |^ não ,… não (?:[^ ,]+rei|vou|posso|quero) | (?:receio|temo) (?:não poder|que não) | me abst\S+ | abstenho-me | me é proibido | viola (?:as )?(?:minhas|nossas) | não (?:me é|é-me) (?:possível|permitido) | é-me impossível "
            r"| não tenho (?:permissão|autorização|permitido|capacidade) | prefiro não | (?:só|somente|apenas) "
            r"(?:posso|podemos|respondo)… | posso (?:apenas|somente)… (?:perguntas|questões|ajudar) "
            r"| (?:lamento|sinto)(?: muito)? não poder | (?:bloqueada|filtrada|bloqueado) (?:pelo|pela|por)… "
        ),
        cannot=(
            r" não (?:o |a |te |lhe |me |se )?(?:posso|podemos|poderei|poderia|consigo|conseguimos|vou|vamos|irei|quero|devo) "
            r"| não (?:[^ ,]+rei) "
        ),
        serves=(
            r" (?:recomenda\S*|responder|ajudar?\S*|ajudá\S*|auxiliar\S*|fornecer\S*|dar\S*|oferecer\S*|atender\S*|fazer (?:isso|isto)|"
            r"fazê\S*|partilhar|compartilhar|revelar|divulgar|escrever\S*|criar|gerar|falar|comentar|discutir|cumprir|"
            r"realizar|prestar|processar|completar|opinar|participar|redigir|explicar|executar|disponibilizar|satisfazer|"
            r"aconselhar) "
        ),
        sorry=r" (?:como (?:modelo|assistente|ia)|modelo de linguagem|por (?:motivos|razões|questões)|desculp\S*|sinto muito|lamento|infelizmente|lamentavelmente|perdão|perdoe) ",
        hedged=(
            r" (?:dizer\S*|saber|afirmar|determinar|garantir) (?:com (?:certeza|exatidão|exactidão|precisão|segurança)|"
            r"exatamente|exactamente|ao certo) | não posso deixar de | (?:agradecer\S*|recomendar\S*) o (?:suficiente|bastante) "
        ),
        helps=r" (?:mas|porém|contudo|no entanto)… (?:prov\S*|normalmente|geralmente|aqui (?:estão|está|tem)|costuma\S*) | causas? (?:prováveis|provável|possíveis|possível) ",
        absent=(
            r" (?:contexto|documentos?|fontes?|textos?|artigos?|informações fornecidas)… não (?:[^ ,]+ )?(?:cont[eéê]m|menciona\S*|"
            r"inclu\S*|indica\S*|especifica\S*|refere\S*|diz\S*) | não (?:[^ ,]+ ){0,3}(?:no|nos|nas|na|pelos?) "
            r"(?:contexto|documentos?|fontes?|textos?|artigos?) | não (?:há|tenho|encontrei|disponho de) (?:[^ ,]+ )?"
            r"informaç(?:ão|ões) "
        ),
    ),
    "nl": Phrases(
        outright=(
            r" (?:moet|zal|moeten) (?:ik|wij|we)… (?:weigeren|afwijzen|afslaan) | (?:ik|wij|we) (?:moet|zal|moeten)… (?:weigeren|"
            r"afwijzen|afslaan) | ik weiger | weiger ik | (?:verzoek|vraag|aanvraag|bericht) kan niet (?:worden )?(?:"
            r"verwerkt|beantwoord|ingewilligd|uitgevoerd) | (?:buiten) (?:mijn|ons|onze|het bereik) "
            r"| (?:ik ben|ben ik|wij zijn|we zijn) (?:[^ ,]+ ){0,2}niet (?:[^ ,]+ )?(?:bevoegd|gemachtigd|in staat|bedoeld|"
            r"ontworpen|gemaakt|bereid|geschikt|getraind|gekwalificeerd|geautoriseerd) "
            r"| (?:gaat|gaan|is|zijn|druist)… (?:tegen|strijd met|in tegen) (?:mijn|onze|ons) | schendt (?:mijn|onze) "
            r"| (?:is|was) (?:het )?(?:mij|me|voor mij)… niet (?:mogelijk|toegestaan) | (?:ik|we|wij) (?:praat|spreek|ga|wil|zeg|"
            r"bespreek)… liever niet | (?:ik|wij|we) (?:kan|kunnen|mag|beantwoord|help) (?:alleen|enkel|uitsluitend|slechts)… "
            r"(?:vragen|onderwerpen|helpen|beantwoorden) | (?:daar|hier|dat|dit) (?:kan|mag|wil) ik… niet (?:[^ ,]+ )?"
            r"(?:helpen|bij helpen|mee helpen|doen|op ingaan|over praten|op antwoorden|beantwoorden)"
            r"| (?:richtlijnen|regels|beleid|voorschriften)… (?:niet toe|verbied\S*|niet toegestaan) "
            r"| (?:valt|vallen|hoort|behoort) niet… (?:mijn|onze) | (?:mijn|onze) (?:taak|rol|functie) (?:beperkt|is)… (?:tot|beperkt) | niet iets "
            r"waar… | van dienst zijn | ik (?:doe|geef|bespreek|becommentarieer|beantwoord|praat)… (?:geen|niet) |^ nee ,… (?:doe|kan|ga|wil|zal|mag) ik… (?:niet|niets) "
            r"|^ (?:sorry|helaas|het spijt me)(?: ,)?… (?:gaat|lukt|kan|mag) (?:helaas )?niet $| dat ik (?:dat|dit|u|je|daar|hier)… niet "
            r"(?:kan|mag|wil) | ik onthoud me | (?:geblokkeerd|gefilterd) door… (?:filter|beleid|veiligheid)\S* "
        ),
        cannot=(
            r" (?:kan|kunnen|mag|mogen|zal|ga|wil|kon) (?:ik|wij|we)… (?:niet|niets|geen) | (?:ik|wij|we) (?:kan|kunnen|mag|mogen|"
            r"zal|ga|wil|kon)… (?:niet|niets|geen) "
        ),
        serves=(
            r" (?:helpen|assisteren|antwoorden|beantwoorden|geven|verstrekken|bieden|aanbieden|delen|vrijgeven|onthullen|schrijven|"
            r"maken|genereren|bespreken|praten|doen|voldoen|ingaan|uitvoeren|verwerken|adviseren|opstellen|"
            r"meewerken|zeggen|vertellen|ondersteunen|uitleggen|advies) "
        ),
        sorry=r" (?:als (?:ai|taalmodel|assistent)\S*|taalmodel|om (?:veiligheids|privacy|juridische|ethische)\S*|sorry|helaas|spijt me|spijt ons|excuses|excuseer|jammer genoeg|pardon) ",
        hedged=(
            r" (?:vertellen|zeggen|melden) dat… | niet (?:[^ ,]+ )?(?:precies|zeker|exact|met zekerheid|genoeg|anders dan) | niet nalaten "
        ),
        helps=r" (?:maar|echter|toch)… (?:waarschijnlijk\S*|meestal|doorgaans|hier (?:zijn|is)|vaak|vermoedelijk) | (?:waarschijnlijke|mogelijke) oorza\S* ",
        absent=(
            r" (?:context|document\S*|bron\S*|tekst|artikel\S*|verstrekte informatie)… (?:bevat|bevatten|vermeldt|vermelden|noemt|noemen|zegt|zeggen|geeft|geven|"
            r"beschrijft|biedt|bieden|staat|staan)… (?:niet|niets|geen) | (?:context|document\S*|bron\S*|tekst|artikel\S*)… (?:niet|niets|geen)… (?:genoemd|vermeld|"
            r"gevonden|beschreven|vinden|beantwoord\S*) | (?:niet|niets|geen)… "
            r"(?:in|uit) (?:de|het|deze|die|mijn) (?:[^ ,]+ )?(?:context|documenten|document|bronnen|tekst|artikel\S*) "
            r"| (?:niet genoeg|onvoldoende|geen)(?: [^ ,]+)? informatie… (?:gevonden|beschikbaar|beantwoorden|vinden) "
        ),
    ),
}
